"""Programs that go on with their files until there is a file `stop`, and compare all that they read. usage: users.py KIND FILE SEED; prints how often."""
import mmap
import os
import random
import sqlite3
import sys

KIND, PATH, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3])
dice = random.Random(SEED)


def going():
    return not os.path.exists("stop")


def check(is_right, what):
    if not is_right:
        print(f"{KIND} {PATH}: {what}")
        sys.exit(1)


def database():
    rows = 0
    with sqlite3.connect(PATH, isolation_level=None) as base:
        base.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)")
        while going():
            base.execute("BEGIN")
            for _ in range(20):
                rows += 1
                base.execute("INSERT INTO t VALUES (?, ?)", (rows, str(rows) * 50))
            base.execute("COMMIT")
            check(base.execute("SELECT count(*), sum(n) FROM t").fetchone() == (rows, rows * (rows + 1) // 2), "rows are missing")
    with sqlite3.connect(PATH) as base:
        check(base.execute("PRAGMA integrity_check").fetchone() == ("ok",), "not sound")
    return rows


def pieces():
    """Reads, writes, cuts and grows here and there, by two descriptors, one of which was there before anything else."""
    size = 3_000_000
    model = bytearray(dice.randbytes(size))
    first = os.open(PATH, os.O_RDWR | os.O_CREAT)
    os.pwrite(first, model, 0)
    rounds = 0
    while going():
        rounds += 1
        at, count = dice.randrange(len(model)), dice.choice((1, 700, 4096, 16384, 100_000))
        descriptor = first if rounds % 3 else os.open(PATH, os.O_RDWR)
        if rounds % 2:
            data = dice.randbytes(count) if rounds % 4 == 1 else bytes([rounds % 256]) * count
            check(os.pwrite(descriptor, data, at) == count, "a short write")
            model[at:at + count] = data
        else:
            check(os.pread(descriptor, count, at) == model[at:at + count], f"{count} bytes at {at} differ")
        if rounds % 50 == 0:
            model[size + dice.randrange(-50_000, 50_000):] = b""
            os.ftruncate(first, len(model))
        if rounds % 40 == 0:
            os.fsync(descriptor)
        if descriptor != first:
            os.close(descriptor)
    check(os.pread(first, len(model) + 1, 0) == model, "differs at the end")
    return rounds


def mapping():
    size = 600_000
    model = bytearray(dice.randbytes(size))
    with open(PATH, "wb") as file:
        file.write(model)
    rounds = 0
    with open(PATH, "r+b") as file:
        while going():
            with mmap.mmap(file.fileno(), size) as pages:
                check(pages[:] == model, "differs where it is mapped")
                for _ in range(20):
                    rounds += 1
                    at = dice.randrange(size - 100)
                    data = dice.randbytes(100)
                    pages[at:at + 100] = data
                    model[at:at + 100] = data
                if rounds % 3 == 0:
                    pages.flush()
            with open(PATH, "rb") as other:
                check(other.read() == model, "differs where it is read")
    return rounds


def log():
    lines = 0
    with open(PATH, "a", buffering=1) as file:
        while going():
            lines += 1
            file.write(f"line {lines}\n")
            if lines % 500 == 0:
                with open(PATH) as other:
                    check(sum(1 for _ in other) == lines, "lines are missing")
    with open(PATH) as file:
        check([int(line.split()[1]) for line in file] == list(range(1, lines + 1)), "not the lines that were written")
    return lines


print({"database": database, "pieces": pieces, "mapping": mapping, "log": log}[KIND]())
