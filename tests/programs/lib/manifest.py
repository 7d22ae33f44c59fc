#!/usr/bin/python3
"""manifest.py make DIRECTORY          one line a file, as the calling process sees it
   manifest.py diff A B [--since T] [--volatile FILE]

Columns: type, mode, owner, links, size, digest or link target, modification time, path. With --since, times at or
after T (seconds) count as equal: the two runs were made at different times. Patterns in FILE name files whose size and
digest may differ."""
import argparse
import difflib
import fnmatch
import hashlib
import os
import re
import stat
import sys

TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s"}


def digest(path):
    state = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while True:
            data = file.read(1 << 20)
            if not data:
                return state.hexdigest()
            state.update(data)


def content(path, kind):
    """Digest or target; an error is a line of the manifest too, so that the rest is still compared."""
    try:
        if kind == "f":
            return digest(path)
        return os.readlink(path) if kind == "l" else "-"
    except OSError as error:
        return f"error:{error.strerror}"


def describe(root, name):
    path = os.path.join(root, name)
    info = os.lstat(path)
    kind = TYPES.get(stat.S_IFMT(info.st_mode), "?")
    size = "-" if kind == "d" else info.st_size
    seconds, nanoseconds = divmod(info.st_mtime_ns, 10**9)
    return (f"{kind} {stat.S_IMODE(info.st_mode):04o} {info.st_uid}:{info.st_gid} {info.st_nlink} {size} "
            f"{content(path, kind)!a} {seconds}.{nanoseconds:09d} {name!a}")


def make(root):
    names = []
    for folder, folders, files in os.walk(root, onerror=lambda error: print(f"error {error}")):
        names += [os.path.relpath(os.path.join(folder, name), root) for name in folders + files]
    for name in sorted(names):
        try:
            print(describe(root, name))
        except OSError as error:
            print(f"error {error.strerror} {name!a}")


# What is known of a file, its time and its name, which may have spaces.
WITH_NAME = re.compile(r"(.*) ([0-9]+\.[0-9]{9}) (['\"].*)")


def comparable(file, since, patterns):
    lines = []
    with open(file) as stream:
        for line in stream.read().splitlines():
            match = WITH_NAME.fullmatch(line)
            fields = list(match.groups()) if match else []
            if len(fields) == 3 and since is not None and float(fields[1]) >= since:
                fields[1] = "recent"
            if len(fields) == 3 and any(fnmatch.fnmatch(fields[2].strip("'"), pattern) for pattern in patterns):
                fields[0] = " ".join(fields[0].split(" ")[:4]) + " volatile"
            lines.append(" ".join(fields) or line)
    return lines


def compare(options):
    patterns = []
    if options.volatile and os.path.exists(options.volatile):
        with open(options.volatile) as stream:
            patterns = stream.read().split("\n")[:-1]
    a, b = (comparable(file, options.since, patterns) for file in (options.a, options.b))
    for line in difflib.unified_diff(a, b, "expected", "found", n=0, lineterm=""):
        print(line)
    if not a:
        print("the manifest is empty")
    return a != b


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("root")
    diff = commands.add_parser("diff")
    diff.add_argument("a")
    diff.add_argument("b")
    diff.add_argument("--since", type=float)
    diff.add_argument("--volatile")
    options = parser.parse_args()
    if options.command == "make":
        return make(options.root)
    return compare(options)


if __name__ == "__main__":
    sys.exit(main())
