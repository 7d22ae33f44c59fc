"""The plot: a line for each row, a dot for each side, at its fraction of plain's speed on a logarithmic scale."""
import math
from html import escape

COLOURS = {"overlay": "#c8102e", "gocryptfs": "#1f77b4", "encfs": "#17a2b8", "cryfs": "#7b68b5", "securefs": "#3b5998",
           "fscrypt": "#5a8f3c", "btrfs-zstd": "#b8860b"}
LEFT, RIGHT, TOP, LINE, WIDTH = 210, 20, 64, 15, 900
LOWEST, HIGHEST = 0.005, 4


def place(speed):
    share = math.log(min(max(speed, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def svg(results):
    sides = [side for side in results.side_names(False) if side in COLOURS]
    lines, y, body = [], TOP, []
    for workload in results.workloads:
        if workload == "codec":
            continue
        body.append(_text(8, y + 11, workload.replace("_", " "), weight="bold"))
        y += LINE + 3
        for row in results.rows_of(workload):
            body += _row(row, sides, y)
            y += LINE
        y += 5
    lines.append(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" font-family="sans-serif" font-size="11">')
    lines.append(f'<rect width="{WIDTH}" height="{y + 10}" fill="#ffffff"/>')
    return "\n".join(lines + _legend(sides) + _scale(y) + body + ["</svg>"]) + "\n"


def _text(x, y, text, anchor="start", weight="normal", colour="#333333"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{escape(text)}</text>'


def _legend(sides):
    lines, x = [_text(8, 16, "Fraction of the plain directory's speed (1 is as fast; logarithmic)", weight="bold")], 8
    for side in sides:
        lines.append(f'<circle cx="{x + 5}" cy="30" r="{4.5 if side == "overlay" else 3}" fill="{COLOURS[side]}"/>')
        lines.append(_text(x + 14, 34, side))
        x += 30 + 7 * len(side)
    return lines


def _scale(bottom):
    lines = []
    for speed in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2):
        x = place(speed)
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{"#888888" if speed == 1 else "#e6e6e6"}"/>')
        lines.append(_text(x, TOP - 10, f"{speed:g}", anchor="middle"))
    return lines


def _row(row, sides, y):
    speeds = {side: speed for side in sides if (speed := row.speed(side)) is not None}
    lines = [_text(LEFT - 8, y + 11, row.name, anchor="end")]
    if speeds:
        low, high = place(min(speeds.values())), place(max(speeds.values()))
        lines.append(f'<line x1="{low:.1f}" y1="{y + 7}" x2="{high:.1f}" y2="{y + 7}" stroke="#dddddd"/>')
    for side in sorted(speeds, key=lambda side: side == "overlay"):
        title = escape(f"{row.name}, {side}: {speeds[side]:.3g}")
        lines.append(f'<circle cx="{place(speeds[side]):.1f}" cy="{y + 7}" r="{4.5 if side == "overlay" else 3}" fill="{COLOURS[side]}">'
                     f'<title>{title}</title></circle>')
    return lines
