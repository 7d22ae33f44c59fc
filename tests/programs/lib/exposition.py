#!/usr/bin/env python3
"""exposition.py FILE: the text exposition format of Prometheus, read strictly: names, HELP and TYPE once and first, labels, escapes, histograms."""
import re
import sys

NAME, LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(rf"^({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:[eE][+-]?[0-9]+)?|[+-]Inf|NaN)$")


def family(name, types):
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and types.get(name[: -len(suffix)]) == "histogram":
            return name[: -len(suffix)]
    return name


def main():
    text = open(sys.argv[1], encoding="utf-8").read()
    assert text.endswith("\n"), "the last line has no end"
    types, helped, seen, current, buckets = {}, set(), set(), None, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert name not in helped and words, line
            helped.add(name)
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and name not in types and kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line}"
            name, labels, value = match.groups()
            assert family(name, types) == current and current in types, f"among others' samples: {line}"
            assert (name, labels) not in seen, f"twice: {line}"
            seen.add((name, labels))
            assert types[current] != "counter" or float(value) >= 0, line
            if name.endswith("_bucket"):
                buckets.setdefault(current, []).append(float(value))
            if name.endswith("_count") and types[current] == "histogram":
                assert buckets[current][-1] == float(value) and buckets[current] == sorted(buckets[current]), line
    assert set(types) == helped and len(types) > 20 and buckets, sorted(types)


main()
