import os
import errno


def attempt(f, *a):
    try:
        return f(*a)
    except OSError as e:
        return errno.errorcode[e.errno]


fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(fd, 0, 100000)
print(os.fstat(fd).st_size, os.pread(fd, 100001, 0) == bytes(100000))
os.posix_fallocate(fd, 99999, 10)
os.posix_fallocate(fd, 5, 10)
print(os.fstat(fd).st_size)
os.pwrite(fd, os.environ["MARKER"].encode(), 50000)
os.posix_fallocate(fd, 40000, 20000)
print(os.pread(fd, 10, 50000))
os.ftruncate(fd, 10)
os.ftruncate(fd, 30)
print(os.pread(fd, 100, 0))
os.truncate("a", 5 * 10**6)
print(os.stat("a").st_size)
print(attempt(os.ftruncate, fd, -1), attempt(os.posix_fallocate, fd, 0, 0), attempt(os.truncate, "missing", 1))
h = os.open("h", os.O_RDWR | os.O_CREAT)
os.pwrite(h, b"data", 10 * 2**20)
os.pwrite(h, b"x" * 65536, 0)
print(
    attempt(os.lseek, h, 0, os.SEEK_DATA),
    attempt(os.lseek, h, 20 * 2**20, os.SEEK_DATA),
    attempt(os.lseek, h, 20 * 2**20, os.SEEK_HOLE),
)
# Where holes lie is the file system's own affair; that data is found, and nothing but zeros is left out, is not.
found, at = b"", 0
while True:
    at = attempt(os.lseek, h, at, os.SEEK_DATA)
    if isinstance(at, str):
        print(at)
        break
    end = os.lseek(h, at, os.SEEK_HOLE)
    found += os.pread(h, end - at, at).strip(b"\0")
    at = end
print(len(found), os.fstat(h).st_size)
