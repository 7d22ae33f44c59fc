"""Shared and private mappings against read, write and truncate, in one process."""
import mmap
import os

marker = os.environ["MARKER"].encode()
with open("f", "wb") as f:
    f.write((marker + b"|") * 3000)
f = open("f", "r+b")
fd = f.fileno()
size = os.fstat(fd).st_size
shared = mmap.mmap(fd, 0)
shared[100:105] = b"store"
print(os.pread(fd, 9, 98), open("f", "rb").read()[98:107])
os.pwrite(fd, b"write", 40000)
print(shared[39998:40007])
reader = mmap.mmap(os.open("f", os.O_RDONLY), 0, prot=mmap.PROT_READ)
print(reader[100:105], reader[40000:40005])
shared[200:203] = b"two"
print(reader[200:203])

private = mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
print(private[100:105], private[200:203])
private[300:307] = b"private"
print(os.pread(fd, 7, 300) == b"private", shared[300:307] == b"private", private[300:307])

shared.flush()
shared.flush(4096, 8192)
os.fsync(fd)
window = mmap.mmap(fd, 8192, offset=16384)
window[0:6] = b"window"
print(os.pread(fd, 6, 16384), shared[16384:16390], os.fstat(fd).st_size == size)
window.close()

# Closing the descriptor does not end the mapping.
f.close()
shared[500:506] = b"closed"
print(open("f", "rb").read()[498:508])
shared.close()
reader.close()
print(open("f", "rb").read()[498:508], len(open("f", "rb").read()) == size)

for attempt in ("r+b", "rb"):
    with open("f", attempt) as again:
        try:
            m = mmap.mmap(again.fileno(), 0, prot=mmap.PROT_WRITE | mmap.PROT_READ)
            m[0:1] = b"M"
            print(attempt, "mapped")
        except OSError as fault:
            print(attempt, fault)
for flags, length, offset in ((mmap.MAP_SHARED, 100, 1 << 40), (mmap.MAP_SHARED, 4096, 1000)):
    with open("f", "r+b") as again:
        try:
            mmap.mmap(again.fileno(), length, flags=flags, offset=offset)
            print("mapped")
        except (OSError, ValueError) as fault:
            print(type(fault).__name__, fault)
with open("w", "wb") as only:
    only.write(b"x" * 5000)
    try:
        mmap.mmap(only.fileno(), 5000)
    except OSError as fault:
        print(fault)
print(open("f", "rb").read()[:8] == b"M" + marker[1:8])
