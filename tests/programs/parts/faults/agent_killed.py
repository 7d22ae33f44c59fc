"""agent_killed.py VOLUME AGENT: open files go on without the agent; new ones fail closed."""
import errno
import os
import signal
import sys
import time

volume, agent = sys.argv[1], int(sys.argv[2])
fd = os.open(volume + "/a", os.O_RDWR)
assert os.pread(fd, 4, 0) == b"1\n2\n"
os.kill(agent, signal.SIGKILL)
try:
    while open(f"/proc/{agent}/stat").read().split(") ")[1][0] != "Z":
        time.sleep(0.01)
except OSError:
    pass  # reaped already
assert os.pwrite(fd, b"over", 0) == 4 and os.pread(fd, 4, 0) == b"over"
os.fsync(fd)


def refused(path, flags):
    try:
        os.close(os.open(path, flags))
        return "opened"
    except OSError as fault:
        return errno.errorcode[fault.errno]


assert refused(volume + "/b", os.O_RDONLY) == "ENOTCONN"
for i in range(70):  # keys that were fetched in advance may still be given out, no more
    last = refused(f"{volume}/new{i}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    if last == "opened":
        os.unlink(f"{volume}/new{i}")
    else:
        assert not os.path.exists(f"{volume}/new{i}"), "a file without a key was left"
assert last == "ENOTCONN", last
if os.fork() == 0:
    assert os.pwrite(fd, b"over", 0) == 4 and os.pread(fd, 4, 0) == b"over"
    os._exit(0 if refused(volume + "/b", os.O_RDONLY) == "ENOTCONN" else 1)
assert os.wait()[1] == 0
os.close(fd)
