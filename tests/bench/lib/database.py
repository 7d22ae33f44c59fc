#!/usr/bin/python3
"""database.py FILE MEGABYTES TEXT: an SQLite database of about that size: records with numbers, names and lines of a text, and indexes."""
import itertools
import os
import random
import sqlite3
import sys


def rows(lines, generator):
    for number, line in enumerate(itertools.cycle(lines)):
        yield (number, generator.randrange(10**9), f"customer-{generator.randrange(100000):05d}",
               round(generator.random() * 1000, 2), line.strip()[:120])


def main(path, megabytes, text):
    with open(text, errors="replace") as file:
        lines = [line for line in itertools.islice(file, 200000) if len(line) > 20]
    connection = sqlite3.connect(path)
    connection.executescript("pragma synchronous = off; pragma journal_mode = off;"
                             "create table payments (id integer primary key, account int, customer text, amount real, note text);"
                             "create index by_customer on payments (customer); create index by_account on payments (account)")
    source = rows(lines, random.Random(1))
    while os.path.getsize(path) < int(megabytes) * 1000000:
        connection.executemany("insert into payments values (?, ?, ?, ?, ?)", itertools.islice(source, 20000))
        connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
