#!/usr/bin/python3
"""inputs.py DIRECTORY: the inputs of all scenarios, the same in every run of the suite but for the marker, which makes
each run's plaintext recognisable.

  text.txt     600 KB of numbered lines      compressible, marked on every line
  random.bin   700,001 bytes                 incompressible, no length that any block size divides
  sparse.bin   5 MiB with three islands      holes
  small/       300 files of 0 to 6,000 bytes
  doc/         documentation of this machine, at most 30 MB; made-up documents where it has none
"""
import os
import random
import shutil
import sys

DOC_SOURCE = "/usr/share/doc"
DOC_BYTES = 30 * 10**6
DOC_FILES = 1500
WORDS = "block entry place group volume store agent engine shim header record page sector nonce tag key slot".split()


def text(marker, lines, seed):
    choice = random.Random(seed)
    return "".join(f"{number:06d} {marker} {' '.join(choice.choices(WORDS, k=6))}\n" for number in range(lines))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    os.utime(path, (1_500_000_000, 1_500_000_000.25))


def sparse(path):
    with open(path, "wb") as file:
        for offset in (0, 1_000_000, 3_333_333):
            file.seek(offset)
            file.write(b"island at %d " % offset * 200)
        file.truncate(5 << 20)


def documents(target):
    """Whole package directories, links and all, until the bounds are met."""
    size = files = 0
    os.mkdir(target)
    names = sorted(os.listdir(DOC_SOURCE)) if os.path.isdir(DOC_SOURCE) else []
    for name in names:
        source = os.path.join(DOC_SOURCE, name)
        if os.path.islink(source) or not os.path.isdir(source):
            continue
        inside = [os.path.join(folder, file) for folder, _, found in os.walk(source) for file in found]
        weight = sum(os.lstat(path).st_size for path in inside)
        if size + weight > DOC_BYTES or files + len(inside) > DOC_FILES:
            continue
        shutil.copytree(source, os.path.join(target, name), symlinks=True)
        size, files = size + weight, files + len(inside)
    if files < 50:
        for number in range(200):
            write(os.path.join(target, f"made-{number}.txt"), text("document", number * 7, number))


def main(target):
    marker = f"plaintext-{os.urandom(6).hex()}"
    choice = random.Random(20)
    os.makedirs(os.path.join(target, "small"))
    write(os.path.join(target, "marker"), marker)
    write(os.path.join(target, "text.txt"), text(marker, 7000, 1))
    write(os.path.join(target, "random.bin"), choice.randbytes(700_001))
    sparse(os.path.join(target, "sparse.bin"))
    for number in range(300):
        body = f"{number} {marker} ".encode() + choice.randbytes(40).hex().encode() * 80
        write(os.path.join(target, "small", f"file-{number:03d}"), body[:number * 20])
    documents(os.path.join(target, "doc"))


if __name__ == "__main__":
    main(sys.argv[1])
