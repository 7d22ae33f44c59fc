"""clock_work.py DIRECTORY CLOCK ROUND: works on, while the clock in the file CLOCK is stepped by years to and fro; prints how many steps
of the clock it saw. What earlier rounds left is read first."""
import fcntl
import mmap
import os
import random
import sys
import time

YEAR = 365 * 86400
STEPS = [50 * YEAR, -30 * YEAR, 3600, -3600, 200 * YEAR, 0, -45 * YEAR, 1, 230 * YEAR, 0]
directory, clock_path, turn = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(clock_path, "r+b") as file:
    clock = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
chosen = random.Random(turn)
models = {}
for name in os.listdir(directory):
    if name.startswith("clock.") and not name.startswith(f"clock.{turn}."):
        with open(f"{directory}/{name}", "rb") as file:
            data = file.read()
        assert data and data == bytes([data[0]]) * len(data), name
        os.pwrite(os.open(f"{directory}/{name}", os.O_WRONLY), data, 0)  # the first write of this boot to it
seen = 0
kept = [os.open(f"{directory}/clock.{turn}.{i}", os.O_RDWR | os.O_CREAT | os.O_EXCL) for i in range(6)]
sizes = [0] * len(kept)
for step in STEPS:
    before = time.time()
    clock[0] = step
    seen += abs(time.time() - before) > 0.5  # each step is at least a second
    for _ in range(25):
        i = chosen.randrange(len(kept))
        data = bytes([65 + i]) * chosen.choice((10, 700, 5000, 30000))
        fcntl.lockf(kept[i], fcntl.LOCK_EX)
        way = chosen.random()
        if way < 0.4:
            sizes[i] += os.pwrite(kept[i], data, sizes[i])
        elif way < 0.6:
            sizes[i] = max(sizes[i], os.pwrite(kept[i], data, 0))
        elif way < 0.7:
            sizes[i] //= 2
            os.ftruncate(kept[i], sizes[i])
        elif way < 0.8:
            os.fsync(kept[i])
        elif way < 0.9:
            child = os.fork()
            if child == 0:
                os.pwrite(kept[i], data[:sizes[i]], 0)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        else:
            path = f"{directory}/clock.{turn}.{i}"
            os.rename(path, path + ".renamed")
            os.rename(path + ".renamed", path)
        fcntl.lockf(kept[i], fcntl.LOCK_UN)
        found = os.pread(kept[i], sizes[i] + 1, 0)
        assert found == bytes([65 + i]) * sizes[i], (step, i, len(found), sizes[i])
    # New files now, in a few steps as many as the agent has keys in store: those that it makes then have its clock's time.
    for number in range(600):
        with open(f"{directory}/clock.{turn}.{seen}.{number}", "wb") as file:
            file.write(b"n" * 400)
for i, fd in enumerate(kept):
    if sizes[i] == 0:
        os.pwrite(fd, bytes([65 + i]), 0)
print(seen)
