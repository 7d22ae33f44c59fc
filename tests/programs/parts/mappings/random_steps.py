"""Random reads, writes, stores, cuts and syncs by four processes in turn; the whole is compared byte by byte by the suite."""
import mmap
import os
import random
import sys

seed, steps = int(sys.argv[1]), int(sys.argv[2])
dice = random.Random(seed)
name = f"random{seed}"
fd = os.open(name, os.O_RDWR | os.O_CREAT)
model = bytearray()
maps = []


def check(what):
    data = os.pread(fd, 1 << 20, 0)
    if data != bytes(model):
        first = next((i for i in range(min(len(data), len(model))) if data[i] != model[i]), min(len(data), len(model)))
        print("differs after", what, "at", first, len(data), len(model))
        sys.exit(1)


for step in range(steps):
    what = dice.choice(["write", "store", "store", "map", "unmap", "cut", "grow", "sync", "flush", "check", "punch"])
    at = dice.randrange(0, 200000)
    text = bytes([dice.randrange(1, 256)]) * dice.randrange(1, 40000)
    if what == "write":
        os.pwrite(fd, text, at)
        if len(model) < at:
            model.extend(bytes(at - len(model)))
        model[at:at + len(text)] = text
    elif what == "cut" and model and dice.randrange(3) == 0:
        length = dice.randrange(0, len(model))
        os.truncate(name, length)
        del model[length:]
        for m in maps:
            m.close()
        maps.clear()
    elif what == "grow" and len(model) < 300000:
        os.ftruncate(fd, at)
        model[at:] = b""
        model.extend(bytes(at - len(model)))
        for m in maps:
            m.close()
        maps.clear()
    elif what == "map" and len(model) > 0 and len(maps) < 4:
        maps.append(mmap.mmap(fd, len(model)))
    elif what == "unmap" and maps:
        maps.pop(dice.randrange(len(maps))).close()
    elif what == "store" and maps:
        m = dice.choice(maps)
        at %= len(m)
        text = text[:len(m) - at]
        if dice.randrange(4) == 0:
            pid = os.fork()
            if pid == 0:
                m[at:at + len(text)] = text
                os.kill(os.getpid(), 9)
            os.waitpid(pid, 0)
        else:
            m[at:at + len(text)] = text
        model[at:at + len(text)] = text
    elif what == "sync":
        os.fsync(fd)
    elif what == "flush" and maps:
        dice.choice(maps).flush()
    elif what == "punch" and model:
        length = min(len(text), len(model) - at % len(model))
        at %= len(model)
        os.system(f"fallocate -p -o {at} -l {length} {name}")
        model[at:at + length] = bytes(length)
    check(what)
print(seed, len(model))
