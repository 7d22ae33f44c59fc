#!/usr/bin/env python3
"""man_has_all.py COMMANDS DIRECTORY: each command (commands.py) has a place in the manual, and each of its options is said there."""
import re
import sys

commands, directory = sys.argv[1:]
main = open(f"{directory}/overlay-ctl.1", encoding="ascii").read()
for line in open(commands, encoding="utf-8"):
    path, _, options = line.rstrip("\n").split("|")
    words = path.split()
    if not words:
        continue
    page = open(f"{directory}/overlay-ctl-{words[0]}.1", encoding="ascii").read()
    assert f"overlay\\-ctl\\-{words[0]}" in main, path
    if len(words) > 1 and any(other.startswith(path + " ") for other in open(commands, encoding="utf-8")):
        continue  # what is below it has places of its own
    if len(words) > 1:
        section = re.search(rf'^\.SH "{re.escape(path.upper())}"\n(.*?)(?=^\.SH )', page, re.MULTILINE | re.DOTALL)
        assert section, f"{path}: no section"
        page = section.group(1)
    for option in options.split():
        assert "\\fB" + option.replace("-", "\\-") + "\\fR" in page, (path, option)
print("all there")
