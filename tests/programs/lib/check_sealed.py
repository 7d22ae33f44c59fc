#!/usr/bin/python3
"""check_sealed.py VOLUME: seen from outside, all regular files but those of .overlay are sealed (format, section 2)."""
import os
import stat
import sys

MAGIC = b"\x89OVLY\r\n\x1a"
HEADER_SIZE = 256


def fault(path):
    info = os.lstat(path)
    if not stat.S_ISREG(info.st_mode):
        return None
    if info.st_size == 0:
        return "is empty: newborn or damaged"
    if not info.st_mode & stat.S_ISVTX:
        return f"lacks the sticky bit (mode {stat.S_IMODE(info.st_mode):04o})"
    if info.st_size < 2 * HEADER_SIZE:
        return f"is shorter than its header ({info.st_size} bytes)"
    with open(path, "rb") as file:
        start = file.read(len(MAGIC))
    return None if start == MAGIC else f"starts with {start!r}, not with the magic"


def main(volume):
    faults = 0
    private = os.path.join(volume, ".overlay")
    if not os.path.isdir(private):
        print("there is no .overlay directory")
    elif stat.S_IMODE(os.stat(private).st_mode) != 0o700:
        print(f".overlay has mode {stat.S_IMODE(os.stat(private).st_mode):04o}, not 0700")
    for folder, folders, files in os.walk(volume):
        if folder == volume and ".overlay" in folders:
            folders.remove(".overlay")
        for name in files:
            path = os.path.join(folder, name)
            message = fault(path)
            if message:
                faults += 1
                print(f"{os.path.relpath(path, volume)} {message}")
    return faults != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
