"""What bench.sh left in its directory, as rows with medians and fractions of plain's speed."""
import os
import statistics

GROWS_WITH_SPEED = {"MB/s", "op/s"}


class Side:
    def __init__(self, name, kind, version):
        self.name, self.kind, self.version = name, kind, version


class Row:
    """One figure of a workload, on all sides."""

    def __init__(self, workload, name, unit, kinds):
        self.workload, self.name, self.unit, self._kinds = workload, name, unit, kinds
        self.values = {}

    def add(self, side, value):
        self.values.setdefault(side, []).append(value)

    def median(self, side):
        return statistics.median(self.values[side]) if side in self.values else None

    def speed(self, side):
        """As a fraction of plain's: below 1 is slower, whatever the unit."""
        value, plain = self.median(side), self.median("plain")
        if not value or not plain:
            return None
        return value / plain if self.unit in GROWS_WITH_SPEED else plain / value

    def spread(self, side):
        """The distance of the lowest and the highest round, as a fraction of the median."""
        values = self.values.get(side, [])
        return (max(values) - min(values)) / self.median(side) if len(values) > 1 else None

    @property
    def best_fuse(self):
        speeds = {side: self.speed(side) for side in self.values if self._kinds.get(side) == "fuse"}
        speeds = {side: speed for side, speed in speeds.items() if speed}
        return max(speeds, key=speeds.get) if speeds else None

    @property
    def times_fuse(self):
        """Overlay's speed in multiples of the best FUSE peer's."""
        overlay = self.speed("overlay")
        return overlay / self.speed(self.best_fuse) if overlay and self.best_fuse else None


# Rows of files and of the codec that did the same to the same data.
CODEC_ROWS = {f"{call}-{kind}-128k": f"codec-{codec}-{kind}" for call, codec in (("write", "write"), ("read-hot", "read"))
              for kind in ("text", "random")}
CODECS = {"overlay": "aes-256-gcm-lz4", "overlay-none": "aes-256-gcm-none", "overlay-aegis-256": "aegis-256-lz4",
          "overlay-aegis-256-none": "aegis-256-none", "overlay-xchacha20": "xchacha20-poly1305-lz4",
          "overlay-xchacha20-none": "xchacha20-poly1305-none"}


class Results:
    def __init__(self, directory):
        self.facts = dict(_fields(directory, "facts"))
        sides = [Side(*fields) for fields in _fields(directory, "sides")]
        self.sides = [side for side in sides if side.kind != "skipped"]
        self.skipped = [side for side in sides if side.kind == "skipped"]
        self.workloads = dict(_fields(directory, "workloads"))
        kinds, rows = {side.name: side.kind for side in self.sides}, {}
        with open(os.path.join(directory, "results")) as file:
            for line in file:
                _, side, workload, name, unit, value = line.split()
                row = rows.setdefault((workload, name), Row(workload, name, unit, kinds))
                row.add(side, float(value))
        self.rows = list(rows.values())

    def rows_of(self, workload):
        return [row for row in self.rows if row.workload == workload]

    def of_codec(self):
        """Lines (row, side, rate, the codec's rate): files against memory."""
        rows = {row.name: row for row in self.rows}
        for name, prefix in CODEC_ROWS.items():
            for side, suffix in CODECS.items():
                codec = rows.get(f"{prefix}-{suffix}")
                if name in rows and side in rows[name].values and codec:
                    yield name, side, rows[name].median(side), codec.median("plain")

    def side_names(self, variants):
        """Without plain; variants are the second ciphers and compressions of Overlay, and of btrfs."""
        return [side.name for side in self.sides if side.name != "plain" and is_variant(side.name) == variants]


def is_variant(side):
    return side.startswith("overlay-") or side == "btrfs-lzo"


def _fields(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [line.rstrip("\n").split("\t") for line in file]
