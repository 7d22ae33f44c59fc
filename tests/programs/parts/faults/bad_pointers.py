"""bad_pointers.py DIRECTORY: buffers that cannot be touched, given to every call that moves bytes."""
import ctypes
import errno
import mmap
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
path = sys.argv[1] + "/pointers"
PROT_NONE, PROT_READ, PAGE = 0, 1, 4096
for name in ("read", "write", "pread", "pwrite", "readv", "writev", "sendfile", "copy_file_range"):
    getattr(libc, name).restype = ctypes.c_ssize_t
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def pages(count, *protections):
    address = libc.mmap(None, count * PAGE, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    ctypes.memset(address, 120, count * PAGE)
    for index, protection in enumerate(protections):
        if protection is not None:
            libc.mprotect(address + index * PAGE, PAGE, protection)
    return address


def answer(name, *arguments, exact=True):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*(ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 20 else ctypes.c_long(a) if isinstance(a, int) else a
                                   for a in arguments))
    if result < 0:
        return errno.errorcode[ctypes.get_errno()]
    return result if exact else "some"


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


fd = os.open(path, os.O_RDWR | os.O_CREAT)
os.write(fd, bytes(range(256)) * 80)
end = os.open(path, os.O_WRONLY | os.O_APPEND)
none, gone, only, half = pages(1, PROT_NONE), pages(1), pages(1, PROT_READ), pages(2, None, PROT_NONE)
libc.munmap(gone, PAGE)
bad = {"none": none, "unmapped": gone, "null": 0, "kernel": -4096 & (2 ** 64 - 1), "wild": 0x123456789000, "last": -1 & (2 ** 64 - 1)}
for what, address in bad.items():
    os.lseek(fd, 0, os.SEEK_SET)
    print(what, answer("read", fd, address, 100), answer("pread", fd, address, 9000, 5), answer("write", fd, address, 100),
          answer("pwrite", fd, address, 9000, 5), answer("write", end, address, 100), answer("write", fd, address, 0),
          "at the end:", answer("pread", fd, address, 100, 1 << 20), "vectors:", answer("readv", fd, address, 1), answer("writev", fd, address, 1),
          os.lseek(fd, 0, os.SEEK_CUR), os.fstat(fd).st_size)
    vectors = (Vector * 2)((none, 10), (only, 10))
    print(" in vectors", answer("readv", fd, vectors, 2), answer("writev", fd, vectors, 2))
print("read only", answer("pread", fd, only, 100, 0), answer("pwrite", fd, only, 100, 0))
print("half", answer("pread", fd, half + PAGE - 100, 500, 0), answer("pwrite", fd, half + PAGE - 100, 500, 0, exact=False))
vectors = (Vector * 2)((half, 50), (none, 50))
os.lseek(fd, 0, os.SEEK_SET)
print("second vector", answer("readv", fd, vectors, 2), answer("writev", fd, vectors, 2), os.lseek(fd, 0, os.SEEK_CUR))
print("more than is there", answer("pread", fd, half, 1 << 30, 20_480 - 4096), answer("pread", fd, half, 1 << 30, 20_480 - 5000))
stack = (ctypes.c_char * 64)()
print("good", answer("pread", fd, stack, 64, 256), stack.raw == bytes(range(64)))
other = os.open(path + "2", os.O_RDWR | os.O_CREAT)
print("offsets", answer("sendfile", other, fd, none, 10), answer("copy_file_range", fd, none, other, 0, 10, 0))
print(os.fstat(fd).st_size)
