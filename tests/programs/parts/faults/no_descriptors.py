"""no_descriptors.py VOLUME: all descriptors are in use when the volume is touched for the first time."""
import errno
import os
import sys

volume, taken = sys.argv[1], []


def attempt(path, flags):
    try:
        return os.open(path, flags)
    except OSError as fault:
        return errno.errorcode[fault.errno]


while isinstance(fd := attempt("/dev/null", os.O_RDONLY), int):
    taken.append(fd)
assert fd == "EMFILE", fd
# No number at all: the plain answer.
answer = attempt(volume + "/a", os.O_RDONLY)
assert answer == "EMFILE", answer
# One number, which the program's file gets: nothing is left for the engine. An errno, and nothing was made half.
os.close(taken.pop())
answers = [attempt(volume + "/a", os.O_RDONLY), attempt(volume + "/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL)]
for answer in answers:
    assert answer in ("EMFILE", "ENOTCONN") or isinstance(answer, int), answers
    if isinstance(answer, int):
        os.close(answer)
for _ in range(min(6, len(taken))):
    os.close(taken.pop())
fd = attempt(volume + "/a", os.O_RDWR)
assert isinstance(fd, int), fd
assert os.pread(fd, 4, 0) == b"1\n2\n", os.pread(fd, 4, 0)
os.pwrite(fd, b"1\n", 0)
# And again with the engine at work and numbers gone: what is open goes on.
while isinstance(more := attempt("/dev/null", os.O_RDONLY), int):
    taken.append(more)
assert os.pread(fd, 4, 0) == b"1\n2\n"
assert os.pwrite(fd, b"1\n2\n", 0) == 4
os.fsync(fd)
print("ok", answers)
