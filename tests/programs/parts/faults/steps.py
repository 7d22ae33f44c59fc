"""steps.py DIRECTORY ERRNO... : works on a file while one of its system calls fails with one of the errnos (none: not at all).

After each step every block is its old or its new version, and the size the old or the new one, for this process and, at the end,
for another one. Steps that failed are done again: the fault is gone by then, or the errno comes back.
"""
import os
import sys

BLOCK, GROUP = 4096, 29 * 4096
directory = sys.argv[1]
allowed = {int(number) for number in sys.argv[2:] if number != "verify"}
acknowledged = 0
path, other = directory + "/file", directory + "/other"


def data(count, seed):
    piece = bytes((seed * 7 + i * i) % 251 + 1 for i in range(997))
    return (piece * (count // len(piece) + 1))[:count]


def write(offset, count, seed):
    new = data(count, seed)

    def do(fd):
        done = 0
        while done < count:
            done += os.pwrite(fd, new[done:], offset + done)
    return do, lambda old: old[:offset].ljust(offset, b"\0") + new + old[offset + count:]


def append(count, seed):
    new = data(count, seed)

    def do(fd):
        global acknowledged
        acknowledged = 0
        end = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            while acknowledged < count:
                acknowledged += os.write(end, new[acknowledged:])
        finally:
            os.close(end)
    return do, lambda old: old + new


def resize(length):
    return lambda fd: os.ftruncate(fd, length), lambda old: old[:length].ljust(length, b"\0")


def sync():
    return os.fsync, lambda old: old


def attempt(action, *arguments):
    """True: done. An errno that nobody injected ends the run."""
    try:
        action(*arguments)
        return True
    except OSError as fault:
        if fault.errno not in allowed:
            raise
        return False


def content(fd):
    for _ in range(3):  # the fault may fall upon this look
        try:
            size = os.fstat(fd).st_size
            return os.pread(fd, size + 1, 0) if size == 0 else b"".join(iter(Reader(fd), b""))
        except OSError as fault:
            if fault.errno not in allowed:
                raise
    raise SystemExit("the file cannot be read any more")


class Reader:
    def __init__(self, fd):
        self.fd, self.at = fd, 0

    def __call__(self):
        piece = os.pread(self.fd, 1 << 20, self.at)
        self.at += len(piece)
        return piece


def check(name, found, old, new):
    if not min(len(old), len(new)) <= len(found) <= max(len(old), len(new)):
        raise SystemExit(f"{name}: size {len(found)}, was {len(old)}, should be {len(new)}")
    for start in range(0, len(found), BLOCK):
        piece = found[start:start + BLOCK]
        if piece not in (side[start:start + len(piece)].ljust(len(piece), b"\0") for side in (old, new)):
            raise SystemExit(f"{name}: block {start // BLOCK} is neither old nor new")


def replace(old_content):
    """The safe way to replace a file: either content is there in full, at any time."""
    def prepare():
        fd = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(fd, b"replaced")
            os.fsync(fd)
        finally:
            os.close(fd)

    def expect(expected):
        if open(path, "rb").read() != expected:
            raise SystemExit("replacing: neither the old file nor the new one")
    while not attempt(prepare):
        while not attempt(expect, old_content):
            pass
    os.rename(other, path)
    while not attempt(expect, b"replaced"):
        pass


STEPS = [("write small", write(0, 100, 1)), ("append", append(1000, 2)), ("sync", sync()), ("grow", write(1100, 3 * BLOCK, 3)),
         ("overwrite", write(BLOCK, BLOCK + 50, 4)), ("sync again", sync()), ("overwrite durable", write(10, 2 * BLOCK, 5)),
         ("append more", append(2 * BLOCK, 6)), ("next group", write(GROUP + 5, 3 * BLOCK, 7)), ("cut", resize(BLOCK + 9)),
         ("grow with a hole", resize(5 * BLOCK)), ("into the hole", write(4 * BLOCK - 3, 6, 8)), ("last sync", sync())]


def run():
    created = [None]

    def create():
        created[0] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    while not attempt(create):
        pass
    fd, model, failures = created[0], b"", 0
    for name, (do, apply) in STEPS:
        before, after = model, apply(model)
        while not attempt(do, fd):
            failures += 1
            found = content(fd)
            check(name, found, before, after)
            if name.startswith("append"):
                # Who appends again what was refused must not find it there twice.
                if len(found) != len(before) + acknowledged:
                    raise SystemExit(f"{name}: {len(found) - len(before)} bytes were added, {acknowledged} acknowledged")
                if acknowledged > 0:
                    break
            if failures > 20:
                return finish(fd, found)
        found = content(fd)
        check(name, found, before, after)
        model = found
    os.close(fd)
    finish(None, model)
    if failures <= 20:
        replace(model)


def finish(fd, model):
    if fd is not None:
        os.close(fd)
    with open(os.environ["MODEL"], "wb") as out:
        out.write(model)


def verify():
    model = open(os.environ["MODEL"], "rb").read()
    found = open(path, "rb").read()
    if found not in (model, b"replaced"):
        raise SystemExit(f"another process reads something else: {len(found)} bytes, not {len(model)}")


if len(sys.argv) > 2 and sys.argv[2] == "verify":
    verify()
else:
    run()
