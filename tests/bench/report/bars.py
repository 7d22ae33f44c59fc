"""The bars of Overlay: what it must reach, as a fraction of plain's speed and in multiples of the best FUSE peer's."""
import re
from dataclasses import dataclass

# Pattern of the row, the least fraction of plain's speed (None: no bar), the least multiple of the best FUSE peer's speed.
# The first that matches holds. Where the disk is the bound, not to be behind is enough.
BARS = [
    (r"codec-.*|part-.*", None, None),
    (r"(file|files|processes|memory)-.*", None, None),
    (r"untouched-start-.*|start-(true|bash)", None, None),
    (r"untouched-.*", 0.98, None),
    (r"start-.*", None, 1),
    (r"random-.*-cold|read-cold-.*|grep-cold", None, 1),
    (r".*fsync|.*fdatasync|sqlite-insert-1-.*", 0.85, 1),
    (r"random-read-4k|random-read-4k-small-file", 1.0, 2),
    (r"random-write-4k", 0.4, 5),
    (r"read-hot-random-.*", 0.25, 2),
    (r"read-hot-.*", 0.2, 2),
    (r"write-random-.*", 0.5, 2),
    (r"write-(text|database|binary)-.*", 0.25, 2),
    (r"append-100", None, 5),
    (r"small-create|untar", 0.6, 5),
    (r"copy-tree", 0.6, 2),
    (r"small-stat|grep|git-status|compile", 0.85, 2),
    (r"sqlite-.*|pgbench-.*", 0.7, 2),
    (r".*", None, 2),
]

# Microseconds that a start may take longer than plain's.
MORE = {"start-true": 400, "untouched-start-true": 400, "start-bash": 400, "start-cat-small": 4000}


# What reading and writing whole files must reach of the codec's own rate.
OF_CODEC = 0.7


@dataclass
class Bar:
    """What is asked of one row, and what came of it: met is None where nothing is asked or nothing can be compared."""
    text: str
    met: bool | None


def bar_of(row):
    of_plain, of_fuse = next((plain, fuse) for pattern, plain, fuse in BARS if re.fullmatch(pattern, row.name))
    asked, kept = [], []
    overlay = row.speed("overlay")
    if of_plain is not None:
        asked.append(f"≥ {of_plain:g}")
        kept.append(overlay is not None and overlay >= of_plain)
    if of_fuse is not None and row.best_fuse is not None:
        asked.append(f"≥ {of_fuse:g} × FUSE")
        kept.append(overlay is not None and row.times_fuse is not None and row.times_fuse >= of_fuse)
    if row.name in MORE:
        more = row.median("overlay") - row.median("plain") if overlay is not None else None
        asked.append(f"≤ {MORE[row.name] / 1000:g} ms more" + ("" if more is None else f" (is {more / 1000:.2f})"))
        kept.append(more is not None and more <= MORE[row.name])
    return Bar(", ".join(asked), all(kept) if kept else None)
