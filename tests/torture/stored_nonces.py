#!/usr/bin/python3
"""stored_nonces.py VOLUME...: the nonces that lie in volumes (docs/format.md 4 to 6) and their stores, the first 12 bytes of each, binary."""
import os
import sqlite3
import sys

MAGIC = b"\x89OVLY\r\n\x1a"
PAGE, GROUP_BLOCKS, ENTRY, VERSION = 4096, 29, 128, 64
UNITS, TABLE, AEGIS_256 = 3, 128, 2
found = sys.stdout.buffer


def put(nonce):
    if any(nonce):
        found.write(nonce[:12])


def unit_nonces(table, tag):
    for at in range(4, len(table) - 12 - tag + 1, 12 + tag):
        if any(table[at + 12:at + 12 + tag]):
            put(table[at:at + 12])


def file_nonces(path):
    with open(path, "rb") as file:
        page = file.read(PAGE)
        if page[:8] != MAGIC:
            return
        put(page[208:224])
        block, is_indexed, tag = 1 << page[12], page[13] & 1, 32 if page[10] == AEGIS_256 else 16
        stride = 3 * PAGE + 3 * GROUP_BLOCKS * block
        for start in range(0, os.fstat(file.fileno()).st_size, stride):
            page = os.pread(file.fileno(), PAGE, start).ljust(PAGE, b"\0")
            put(page[272:288])
            for slot in range(GROUP_BLOCKS if start > 0 or is_indexed else 1):
                for version in 0, VERSION:
                    at = 384 + slot * ENTRY + version
                    # A file that shrank and was settled is cut inside of a group that is no more (format 8): of an entry there a first part may be
                    # left, and a part of its nonce. It has no tag, so it is none.
                    if not any(page[at + 32:at + 48]):
                        continue
                    put(page[at + 16:at + 32])
                    word = int.from_bytes(page[at + 8:at + 12], "little")
                    if word >> 26 & 3 == UNITS:
                        unit_nonces(os.pread(file.fileno(), TABLE, start + PAGE + (2 * slot + (word >> 24 & 3)) * TABLE), tag)


def store_nonces(path):
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for table in "file", "key_slot":
        for (wrapped,) in store.execute(f"select wrapped_key from {table} where wrapped_key is not null"):
            put(wrapped)


for volume in sys.argv[1:]:
    store_nonces(os.path.join(volume, ".overlay/store.db"))
    for folder, folders, names in os.walk(volume):
        if ".overlay" in folders:
            folders.remove(".overlay")
        for name in names:
            file_nonces(os.path.join(folder, name))
