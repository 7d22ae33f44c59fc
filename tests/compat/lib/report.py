#!/usr/bin/python3
"""report.py SUITES RESULTS: docs/compatibility.md on standard output, from the result of each suite's last run."""
import json
import os
import platform
import re
import sys

HEAD = """# Compatibility

Test suites, servers and tools that others wrote, each run once in a plain directory and once in a volume, and compared result by
result; all files of the volume were then found sealed, from outside. Written by `make compat`; do not edit.
What is run is in `tests/compat/suites/`. A test that fails in both runs alike is no difference.
"""


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
    cells = [result["suite"], result["version"] or "–", sum(result["plain"].values())]
    for side in ("plain", "sealed"):
        cells.append(" / ".join(str(result[side][kind]) for kind in ("ok", "fail", "skip")))
    explained = sum(one["explanation"] is not None for one in result["differences"])
    cells += [explained, len(result["differences"]) - explained, ratio(result)]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def cell(text):
    return text.replace("|", "\\|")[:160]


def difference_rows(results):
    """One row for each explanation of a suite, with its tests counted and the first one named."""
    for result in results:
        groups = {}
        for one in result["differences"]:
            groups.setdefault(one["explanation"] or "**not explained**", []).append(one)
        for why, ones in groups.items():
            first = ones[0]
            others = f" and {len(ones) - 1} more" if len(ones) > 1 else ""
            yield f"| {result['suite']} | {cell(first['test'])}{others} | {cell(first['plain'])} | {cell(first['sealed'])} | {why} |"


def main(suites, folder):
    results, missing = [], []
    for name in sorted(name[:-3] for name in os.listdir(suites) if name.endswith(".sh")):
        path = os.path.join(folder, name + ".json")
        if not os.path.exists(path):
            missing.append(name)
            continue
        with open(path) as file:
            results.append(json.load(file))
    print(HEAD)
    print(machine(), end="\n\n")
    print("| suite | version | tests | plain: ok / fail / skip | under Overlay | differences explained | not explained | time, × plain |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(row(result) for result in results))
    rows = list(difference_rows(results))
    if rows:
        print("\n## Differences\n\n| suite | test | plain | under Overlay | why |\n|---|---|---|---|---|")
        print("\n".join(rows))
    print("\n## The suites\n")
    for result in results:
        print(f"* **{result['suite']}**: {about(os.path.join(suites, result['suite'] + '.sh'))}")
    if missing:
        print(f"\nNot run on this machine: {', '.join(missing)}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
