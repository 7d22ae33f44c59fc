"""The file's length under a mapping: grown, cut, with holes; mremap."""
import mmap
import os

marker = os.environ["MARKER"].encode()


def show(name):
    data = open(name, "rb").read()
    print(name, len(data), os.stat(name).st_size, [(i, data[i]) for i in range(len(data)) if data[i] not in (0, 120)][:12])


# Grown by ftruncate, write and resize.
fd = os.open("grown", os.O_RDWR | os.O_CREAT)
os.write(fd, b"x" * 5000)
m = mmap.mmap(fd, 5000)
os.ftruncate(fd, 20000)
m.close()
m = mmap.mmap(fd, 8000)
m[7000:7001] = b"1"
os.pwrite(fd, b"2", 30000)
print(os.fstat(fd).st_size, m[7000:7001])
m.resize(40960)
m[40000:40001] = b"3"
m[30001:30002] = b"4"
m.resize(65536)
m[65535:65536] = b"5"
print(len(m), os.fstat(fd).st_size, m[30000:30002])
m.resize(4096)
print(len(m), os.fstat(fd).st_size)
m.close()
show("grown")

# Cut and grown again: zeros.
os.pwrite(fd, b"x" * 40000, 0)
m = mmap.mmap(fd, 0)
os.ftruncate(fd, 10000)
os.ftruncate(fd, 40000)
print(m[9999:10002], m[39999:40000])
os.lseek(fd, 0, os.SEEK_SET)
m[20000:20001] = b"6"
m.close()
show("grown")
os.close(fd)

# Holes, read, written and punched.
fd = os.open("sparse", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 3 << 20)
m = mmap.mmap(fd, 0)
print(m[1 << 20:(1 << 20) + 4])
m[2 << 20:(2 << 20) + len(marker)] = marker
m.flush()
print(os.pread(fd, 6, 2 << 20) == marker[:6], os.lseek(fd, (1 << 20) + 5, os.SEEK_DATA) <= 2 << 20)
m[5:6] = b"7"
m.close()
show("sparse")
os.close(fd)

# O_TRUNC by another open, and a new file of the same name.
fd = os.open("cut", os.O_RDWR | os.O_CREAT)
os.write(fd, b"x" * 9000)
m = mmap.mmap(fd, 4096)
os.close(os.open("cut", os.O_RDWR | os.O_TRUNC))
os.write(os.open("cut", os.O_RDWR), b"new " + marker)
print(m[:4], os.fstat(fd).st_size)
os.rename("cut", "old")
open("cut", "wb").write(b"another")
m[0:4] = b"OLD!"
print(open("old", "rb").read()[:4], open("cut", "rb").read())
os.unlink("old")
m[0:4] = b"gone"
print(m[:4], os.pread(fd, 4, 0))
m.close()
