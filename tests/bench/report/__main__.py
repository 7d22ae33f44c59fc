#!/usr/bin/python3
"""report DIRECTORY [--json FILE] [--document DIRECTORY]: the tables of what bench.sh measured."""
import argparse
import os
import sys

from plot import svg
from results import Results
from text import as_json, markdown, plain_text


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--json")
    parser.add_argument("--document")
    arguments = parser.parse_args()
    results = Results(arguments.directory)
    print(plain_text(results))
    if arguments.json:
        write(arguments.json, as_json(results))
    if arguments.document:
        for name, text in (("benchmarks.md", markdown(results)), ("benchmarks.svg", svg(results)), ("benchmarks.json", as_json(results))):
            write(os.path.join(arguments.document, name), text)
    return 0 if results.rows else 1


if __name__ == "__main__":
    sys.exit(main())
