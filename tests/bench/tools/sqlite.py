#!/usr/bin/python3
"""sqlite.py FILE JOURNAL-MODE TEXT: inserts and selects in a new database; lines "ROW UNIT VALUE"."""
import itertools
import os
import random
import sqlite3
import sys
import time


def report(row, mode, operation, most):
    """Repeats until the time box is over."""
    box = float(os.environ.get("BENCH_BOX", "0.2"))
    start, done = time.perf_counter(), 0
    while True:
        operation(done)
        done += 1
        took = time.perf_counter() - start
        if took >= box or done >= most:
            break
    print(f"sqlite-{row}-{'wal' if mode == 'wal' else 'rollback'} us {took * 1e6 / done:.2f}")


def main(path, mode, text):
    with open(text, errors="replace") as file:
        lines = [line.strip()[:100] for line in itertools.islice(file, 20000)]
    generator = random.Random(1)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"pragma journal_mode = {mode}; pragma synchronous = full; pragma cache_size = -500;"
                             "create table note (id integer primary key, key int, line text); create index by_key on note (key)")

    def insert(number):
        connection.execute("insert into note (key, line) values (?, ?)", (generator.randrange(10**6), lines[number % len(lines)]))

    def insert_many(_):
        connection.execute("begin")
        for number in range(20000):
            insert(number)
        connection.execute("commit")

    def look_up(_):
        connection.execute("select line from note where key >= ? order by key limit 10", (generator.randrange(10**6),)).fetchall()

    report("insert-20000", mode, insert_many, 1)
    report("insert-1", mode, insert, 1000000)
    report("look-up", mode, look_up, 1000000)
    report("scan", mode, lambda _: connection.execute("select sum(length(line)) from note").fetchall(), 1000000)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
