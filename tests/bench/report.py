#!/usr/bin/python3
"""report.py RESULTS [JSON]: the tables of bench.sh. RESULTS has lines "start NAME BUDGET PLAIN SHIM" (microseconds) and
"plain|sealed NAME UNIT VALUE", several for each name: their median counts."""
import json
import statistics
import sys


def parse(path):
    starts, values = [], {}
    with open(path) as file:
        for line in file:
            kind, name, *fields = line.split()
            if kind == "start":
                budget, plain, shim = map(float, fields)
                starts.append({"name": name, "plain_us": plain, "overlay_us": shim, "more_us": round(shim - plain, 1),
                               "ratio": round(shim / plain, 3), "budget_us": budget})
            else:
                values.setdefault((name, fields[0]), {}).setdefault(kind, []).append(float(fields[1]))
    operations = []
    for (name, unit), sides in values.items():
        if len(sides) == 2:
            plain, sealed = statistics.median(sides["plain"]), statistics.median(sides["sealed"])
            # Above 1 is slower, for rates too.
            ratio = plain / sealed if unit == "MB/s" else sealed / plain
            operations.append({"name": name, "unit": unit, "plain": plain, "sealed": sealed,
                               "times_the_cost": round(ratio, 2)})
    return starts, operations


def main(results, target=None):
    starts, operations = parse(results)
    print(f"\n{'start to exit':<24}{'plain':>10}{'overlay':>10}{'more':>10}{'ratio':>8}{'budget':>10}")
    for row in starts:
        verdict = "" if row["more_us"] <= row["budget_us"] else "  over"
        print(f"{row['name']:<24}{row['plain_us']:>7.0f} us{row['overlay_us']:>7.0f} us{row['more_us']:>+7.0f} us"
              f"{row['ratio']:>8.2f}{row['budget_us']:>7.0f} us{verdict}")
    print(f"\n{'operation':<28}{'plain':>14}{'overlay':>14}{'times the cost':>16}")
    for row in operations:
        print(f"{row['name']:<28}{row['plain']:>9.0f} {row['unit']:<4}{row['sealed']:>9.0f} {row['unit']:<4}"
              f"{row['times_the_cost']:>12.2f}")
    if target:
        with open(target, "w") as file:
            json.dump({"start": starts, "operations": operations}, file, indent=1)
            file.write("\n")
    return 0 if starts and operations else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
