#!/usr/bin/env python3
"""commands.py OVERLAY-CTL: every command by its --help, a line each: path, commands below it, options; separated by |."""
import re
import subprocess
import sys


def part(text, name):
    match = re.search(rf"^{name}:\n((?:  .*\n?)*)", text, re.MULTILINE)
    return match.group(1).splitlines() if match else []


def show(program, path):
    text = subprocess.run([program, *path, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout
    below = [line.split()[0] for line in part(text, "Commands")]
    options = [word for line in part(text, "Options") for word in re.findall(r"(?<![\w<-])--[a-z][a-z0-9-]*", re.split(r" {2,}", line.strip())[0])]
    print(" ".join(path), " ".join(below), " ".join(options), sep="|")
    for name in below:
        show(program, [*path, name])


show(sys.argv[1], [])
