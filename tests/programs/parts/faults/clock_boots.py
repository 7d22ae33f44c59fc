"""clock_boots.py FILE ROUND LIFE: slot i of a file of 100 KiB belongs to round i; all rounds so far are there, and this one is written, in
its first life once, in its second with fsync, in its third ten times over between two."""
import os
import sys

SLOT = 9000
path, turn, life = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
fd = os.open(path, os.O_RDWR)


def text(slot_turn, slot_life):
    return (b"%d.%d " % (slot_turn, slot_life) * SLOT)[:SLOT]


def check(slot_turn, slot_life):
    found = os.pread(fd, SLOT, slot_turn * SLOT)
    assert found == text(slot_turn, slot_life), (turn, life, slot_turn, found[:20])


for earlier in range(turn):
    check(earlier, 3)
if life > 1:
    check(turn, life - 1)
for again in range(10 if life == 3 else 1):
    os.pwrite(fd, text(turn, life), turn * SLOT)
    if life == 2 or again == 4:
        os.fsync(fd)
check(turn, life)
assert os.fstat(fd).st_size == 100000
