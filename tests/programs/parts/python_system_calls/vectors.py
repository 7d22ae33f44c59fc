import os

marker = os.environ["MARKER"].encode()
fd = os.open("a", os.O_RDWR | os.O_CREAT)
print(os.writev(fd, [b"one ", b"", marker, b" " * 20000, b"end"]), os.lseek(fd, 0, 1))
print(os.pwritev(fd, [b"PW", b"RITE"], 16380), os.lseek(fd, 0, 1))
buffers = [bytearray(10), bytearray(20000), bytearray(500)]
print(os.preadv(fd, buffers, 16375), bytes(buffers[0]))
print(os.preadv(fd, buffers, 4, os.RWF_HIPRI) if False else os.preadv(fd, buffers, 4), bytes(buffers[0]))
os.lseek(fd, 0, 0)
print(os.readv(fd, buffers), os.lseek(fd, 0, 1))
print(os.pwritev(fd, [b"synced"], 100, os.RWF_DSYNC))
os.fsync(fd)
os.fdatasync(fd)
os.sync()
try:
    os.pread(fd, 10, -1)
except OSError as e:
    print(e.errno)
try:
    os.lseek(fd, -1, os.SEEK_SET)
except OSError as e:
    print(e.errno)
print(os.pread(fd, 10, 10**6), os.lseek(fd, 10**6, os.SEEK_SET), os.read(fd, 5), os.fstat(fd).st_size)
a = os.open("a", os.O_WRONLY | os.O_APPEND)
os.write(a, b"tail")
print(os.lseek(a, 0, 1))
os.lseek(a, 0, 0)
os.write(a, b"again")
print(os.lseek(a, 0, 1), os.stat("a").st_size)
