"""The report as plain text, JSON, and Markdown."""
import json

from bars import OF_CODEC, bar_of
from results import is_variant


def quantity(value, unit):
    """Three digits and a unit that suits."""
    if value is None:
        return "–"
    if unit == "us":
        value, unit = next(((value / size, name) for size, name in ((1e6, "s"), (1e3, "ms")) if value >= size), (value, "µs"))
    elif unit == "MB/s" and value >= 1000:
        value, unit = value / 1000, "GB/s"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def fraction(value):
    return "–" if value is None else f"{value:.2f}" if value < 9.95 else f"{value:.0f}"


def verdict(bar):
    return {True: "met", False: "**not met**", None: ""}[bar.met]


def plain_text(results):
    lines = []
    for workload, about in results.workloads.items():
        rows = results.rows_of(workload)
        sides = [side.name for side in results.sides if side.name != "plain" and any(side.name in row.values for row in rows)]
        lines += ["", f"{workload}: {about}", "  fractions of plain's speed (more is faster)", ""]
        lines.append(f"{'':<44}{'plain':>12}" + "".join(f"{side.replace('overlay-', 'o-')[:14]:>15}" for side in sides) + f"{'x FUSE':>8}  bar")
        for row in rows:
            bar = bar_of(row)
            lines.append(f"{row.name:<44}{quantity(row.median('plain'), row.unit):>12}"
                         + "".join(f"{fraction(row.speed(side)):>15}" for side in sides)
                         + f"{fraction(row.times_fuse):>8}  {bar.text}{'' if bar.met is not False else '  NOT MET'}")
    lines += [f"{name:<44}{side:<24}{quantity(rate, 'MB/s'):>12} of {quantity(codec, 'MB/s'):>10}{rate / codec:>8.2f}"
              for name, side, rate, codec in results.of_codec()]
    met = [bar_of(row).met for row in results.rows]
    lines += ["", f"{met.count(True)} bars met, {met.count(False)} not met"]
    return "\n".join(lines)


def as_json(results):
    return json.dumps({
        "facts": results.facts,
        "sides": {side.name: {"kind": side.kind, "version": side.version} for side in results.sides},
        "skipped": {side.name: side.version for side in results.skipped},
        "rows": [{"workload": row.workload, "row": row.name, "unit": row.unit, "rounds": row.values,
                  "medians": {side: row.median(side) for side in row.values},
                  "of_plain": {side: rounded(row.speed(side)) for side in row.values},
                  "best_fuse": row.best_fuse, "overlay_times_fuse": rounded(row.times_fuse),
                  "bar": bar_of(row).text, "met": bar_of(row).met} for row in results.rows],
    }, indent=1, ensure_ascii=False) + "\n"


def rounded(value):
    return None if value is None else round(value, 4)


def markdown(results):
    lines = ["# Benchmarks", "", "Written by `make bench` (tests/bench); not to be edited. What the figures come from, and what to do about them,"
             " is in [performance.md](performance.md).", ""]
    lines += _machine(results) + _how_to_read(results) + ["![Fractions of plain's speed](benchmarks.svg)", ""] + _summary(results)
    for workload, about in results.workloads.items():
        if workload == "codec":
            lines += _codec(results, about)
            continue
        lines += [f"## {workload.replace('_', ' ').capitalize()}", "", about + ".", ""] + _main_table(results, workload)
        lines += _variant_table(results, workload)
    return "\n".join(lines)


def _machine(results):
    lines = ["## Machine and versions", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in results.facts.items()]
    lines += [f"| {side.name} | {side.version} |" for side in results.sides]
    lines += [f"| {side.name} | skipped: {side.version} |" for side in results.skipped]
    return lines + [""]


def _how_to_read(results):
    spreads = sorted(spread for row in results.rows for side in ("plain", "overlay") if (spread := row.spread(side)) is not None)
    noise = (f" Between the rounds, plain's and Overlay's figures differ by {spreads[len(spreads) // 2]:.0%} in the median of all rows, "
             f"and by {spreads[len(spreads) * 9 // 10]:.0%} or more in a tenth of them: no smaller difference means anything.") if spreads else ""
    return ["## To repeat", "", "`make bench` as root on an idle machine, some fifteen minutes; `tests/bench/bench.sh --help` for a part of it.", "",
            "## To read", "", "The column *plain* is what the plain directory took or reached. The others are fractions of its *speed*: 1 is as fast, 0.5"
            " takes twice as long, whatever the unit. *× FUSE* is Overlay's speed in multiples of the best FUSE peer's. The bars are those that"
            " the project has set itself; a fraction alone is one of plain's speed. *Cold* rows and those that end in fsync wait for the disk."
            " encfs and fscrypt do not authenticate what they read, btrfs does not encrypt; cryfs writes a second later, from memory." + noise, ""]


def _summary(results):
    bars = [(row, bar_of(row)) for row in results.rows]
    met, missed = sum(bar.met is True for _, bar in bars), [row.name for row, bar in bars if bar.met is False]
    behind = [row.name for row in results.rows if row.times_fuse is not None and row.times_fuse < 1]
    lines = [f"{met} bars are met, {len(missed)} are not" + (": " + ", ".join(missed) if missed else "") + ".", ""]
    lines.append(f"Behind the best FUSE peer: {', '.join(behind) if behind else 'nothing'}.")
    return lines + [""]


def _main_table(results, workload):
    rows = results.rows_of(workload)
    sides = [side for side in results.side_names(False) if any(side in row.values for row in rows)]
    lines = ["| | plain | " + " | ".join(sides) + " | × FUSE | bar | |", "|---|--:|" + "--:|" * len(sides) + "--:|---|---|"]
    for row in rows:
        bar, best = bar_of(row), row.best_fuse
        cells = [f"**{fraction(row.speed(side))}**" if side == best else fraction(row.speed(side)) for side in sides]
        lines.append(f"| {row.name} | {quantity(row.median('plain'), row.unit)} | {' | '.join(cells)} | "
                     f"{fraction(row.times_fuse)} | {bar.text} | {verdict(bar)} |")
    return lines + [""]


def _variant_table(results, workload):
    rows = [row for row in results.rows_of(workload) if any(is_variant(side) for side in row.values)]
    if not rows:
        return []
    sides = ["overlay"] + results.side_names(True)
    lines = ["Other ciphers and compressions:", "", "| | plain | " + " | ".join(sides) + " |", "|---|--:|" + "--:|" * len(sides)]
    lines += [f"| {row.name} | {quantity(row.median('plain'), row.unit)} | "
              + " | ".join(fraction(row.speed(side)) for side in sides) + " |" for row in rows]
    return lines + [""]


def _codec(results, about):
    lines = ["## Codec", "", about + ".", "", "| | |", "|---|--:|"]
    lines += [f"| {row.name} | {quantity(row.median('plain'), row.unit)} |" for row in results.rows_of("codec")]
    lines += ["", f"Whole files against it; the bar is {OF_CODEC:g} of the codec's rate:", "", "| | side | file | codec | fraction | |", "|---|---|--:|--:|--:|---|"]
    lines += [f"| {name} | {side} | {quantity(rate, 'MB/s')} | {quantity(codec, 'MB/s')} | {rate / codec:.2f} | "
              f"{'met' if rate >= OF_CODEC * codec else '**not met**'} |" for name, side, rate, codec in results.of_codec()]
    return lines + [""]
