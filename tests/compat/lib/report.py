#!/usr/bin/python3
"""report.py SUITES RESULTS DOCUMENT: writes DOCUMENT (docs/compatibility.md) from the results; a suite that was not run here keeps what
DOCUMENT says of its last run."""
import json
import os
import platform
import re
import sys

HEAD = """# Compatibility

Test suites, servers and tools that others wrote, each run once in a plain directory and once in a volume, and compared result by
result; all files of the volume were then found sealed, from outside. Written by `make compat`; do not edit.
What is run is in `tests/compat/suites/`. A test that fails in both runs alike is no difference. Each suite's last run counts; the machine of
the newest ones was:
"""
TABLE = """| suite | run | version | tests | plain: ok / fail / skip | under Overlay | differences explained | not explained | time, × plain |
|---|---|---|---|---|---|---|---|---|"""
DIFFERENCES = """
## Differences

| suite | test | plain | under Overlay | why |
|---|---|---|---|---|"""


def about(path):
    with open(path) as file:
        return re.search(r"^# about: (.*)$", file.read(), re.M)[1]


def processor():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine():
    with open("/etc/os-release") as lines:
        system = next(line.split("=", 1)[1].strip().strip('"') for line in lines if line.startswith("PRETTY_NAME="))
    return f"{system}, {' '.join(platform.libc_ver())}, Linux {os.uname().release}, {processor()}, {os.cpu_count()} processors."


def ratio(result):
    return f"{result['sealed_seconds'] / result['plain_seconds']:.1f}" if result["plain_seconds"] else "–"


def row(result):
    cells = [result["suite"], result["date"], result["version"] or "–", sum(result["plain"].values())]
    for side in ("plain", "sealed"):
        cells.append(" / ".join(str(result[side][kind]) for kind in ("ok", "fail", "skip")))
    explained = sum(one["explanation"] is not None for one in result["differences"])
    cells += [explained, len(result["differences"]) - explained, ratio(result)]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def cell(text):
    return text.replace("|", "\\|")[:160]


def difference_rows(result):
    """One row for each explanation of a suite, with its tests counted and the first one named."""
    groups = {}
    for one in result["differences"]:
        groups.setdefault(one["explanation"] or "**not explained**", []).append(one)
    for why, ones in groups.items():
        first = ones[0]
        others = f" and {len(ones) - 1} more" if len(ones) > 1 else ""
        yield f"| {result['suite']} | {cell(first['test'])}{others} | {cell(first['plain'])} | {cell(first['sealed'])} | {why} |"


def earlier(document):
    """The rows of a report that was written before: those of its first table, and of its second."""
    if not os.path.exists(document):
        return [], []
    with open(document) as file:
        first, _, second = file.read().partition("## Differences")
    return first.splitlines(), second.splitlines()


def by_hand(document):
    """The last section is written by people: it stays as it is."""
    if not os.path.exists(document):
        return ""
    with open(document) as file:
        _, heading, rest = file.read().rstrip("\n").partition("\n## Tried by hand\n")
    return heading + rest


def rows_of(name, folder, before):
    """A suite's row, and its rows of differences. One that only skipped, since it lacks something here, has not run."""
    path = os.path.join(folder, name + ".json")
    if os.path.exists(path):
        with open(path) as file:
            result = json.load(file)
        if result["plain"]["ok"] + result["plain"]["fail"] > 0:
            return [row(result)], list(difference_rows(result))
    return [[line for line in lines if line.startswith(f"| {name} |")] for lines in before]


def main(suites, folder, document):
    kept = by_hand(document)
    before, names = earlier(document), sorted(name[:-3] for name in os.listdir(suites) if name.endswith(".sh"))
    found = {name: rows_of(name, folder, before) for name in names}
    missing = [name for name, (rows, _) in found.items() if not rows]
    differences = [line for _, rows in found.values() for line in rows]
    lines = [HEAD, machine(), "", TABLE, *(line for rows, _ in found.values() for line in rows)]
    if differences:
        lines += [DIFFERENCES, *differences]
    lines += ["\n## The suites\n", *(f"* **{name}**: {about(os.path.join(suites, name + '.sh'))}" for name in names if name not in missing)]
    if missing:
        lines.append(f"\nNot run: {', '.join(missing)}.")
    if kept:
        lines.append(kept)
    with open(document + ".new", "w") as file:
        print(*lines, sep="\n", file=file)
    os.rename(document + ".new", document)


if __name__ == "__main__":
    main(*sys.argv[1:])
