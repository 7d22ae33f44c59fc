#!/usr/bin/python3
"""Damages stored files in a chosen place, from outside of the shim. It knows docs/format.md and nothing of the code.

damage.py show FILE                     what the header says, and where each block lies
damage.py flip FILE header|record|entry|stored [BLOCK]
damage.py zero FILE record|entry|stored [BLOCK]
damage.py byte FILE OFFSET VALUE        one byte of the file
damage.py cut FILE SIZE                 the backing file is cut
damage.py swap FILE BLOCK BLOCK         entries and stored bytes of two blocks change places
damage.py transplant FROM BLOCK TO BLOCK    a block with its entry goes into another file"""
import os
import struct
import sys

PAGE, SLOTS, HEADER, RECORD, ENTRIES, ENTRY = 4096, 29, 256, 256, 384, 128
INLINE_PLACE, INLINE_OFFSET = 3, 512
UNITS, TABLE, AEGIS_256 = 3, 128, 2


class Stored:
    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDWR)
        header = os.pread(self.fd, HEADER, 0)
        if header[:8] != b"\x89OVLY\r\n\x1a":
            sys.exit(f"{path}: not a sealed file")
        self.block_size = 1 << header[12]
        self.unit_size = max(PAGE, self.block_size // (2 if header[10] == AEGIS_256 else 4))
        self.indexed = header[13] & 1
        self.size = struct.unpack_from("<Q", header, 56)[0]
        self.stride = 3 * PAGE + 3 * SLOTS * self.block_size

    def read(self, at, length):
        return os.pread(self.fd, length, at)

    def write(self, at, data):
        os.pwrite(self.fd, data, at)

    def index(self, block):
        return block // SLOTS * self.stride

    def entry(self, block):
        return self.index(block) + ENTRIES + block % SLOTS * ENTRY

    def stored(self, block):
        """Offset and length of the current version of a block, or of its first unit (format, sections 2 and 6)."""
        word = struct.unpack_from("<I", self.read(self.entry(block), ENTRY), 8)[0]
        length, place = word & 0xFFFFFF, word >> 24 & 3
        if word >> 26 & 3 == UNITS:
            table = self.read(self.index(block) + PAGE + (2 * (block % SLOTS) + place) * TABLE, TABLE)
            place, length = table[0] & 3, min(length, self.unit_size)
        elif place == INLINE_PLACE:
            return INLINE_OFFSET, length
        start = self.index(block) + 3 * PAGE + place * SLOTS * self.block_size
        return start + block % SLOTS * self.block_size, length

    def part(self, name, block):
        """Offset and length of a part; of an entry, its current version."""
        return {"header": (0, HEADER), "record": (self.index(block) + RECORD, 128),
                "entry": (self.entry(block), 64), "stored": self.stored(block)}[name]


def flip(path, name, block="0"):
    file = Stored(path)
    at, length = file.part(name, int(block))
    at += 60 if name == "header" else 20 if name != "stored" else length // 2
    file.write(at, bytes([file.read(at, 1)[0] ^ 0x10]))


def zero(path, name, block="0"):
    file = Stored(path)
    at, length = file.part(name, int(block))
    file.write(at, bytes(128 if name == "entry" else length))


def byte(path, at, value):
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, bytes([int(value)]), int(at))


def cut(path, size):
    os.truncate(path, int(size))


def lift(file, block):
    at, length = file.stored(block)
    return file.read(file.entry(block), ENTRY), file.read(at, length)


def put(file, block, lifted):
    file.write(file.entry(block), lifted[0])
    file.write(file.stored(block)[0], lifted[1])


def swap(path, a, b):
    file, a, b = Stored(path), int(a), int(b)
    of_a, of_b = lift(file, a), lift(file, b)
    put(file, a, of_b)
    put(file, b, of_a)


def transplant(source, a, target, b):
    put(Stored(target), int(b), lift(Stored(source), int(a)))


def show(path):
    file = Stored(path)
    print(f"size {file.size}, block size {file.block_size}, indexed {file.indexed}")
    for block in range((file.size + file.block_size - 1) // file.block_size):
        print(f"block {block}: entry at {file.entry(block)}, stored at %d, %d bytes" % file.stored(block))


COMMANDS = {"flip": flip, "zero": zero, "byte": byte, "cut": cut, "swap": swap, "transplant": transplant, "show": show}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
