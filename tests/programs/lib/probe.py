#!/usr/bin/python3
"""probe.py OPERATION ARGUMENTS...: does one thing as a program would; prints "ok ..." or the errno's name."""
import ctypes
import errno
import fcntl
import hashlib
import mmap
import os
import signal
import struct
import sys

FICLONE, IO_URING_SETUP, ACCT, SWAPON, REMAP_FILE_PAGES, LOOP_SET_FD = 0x40049409, 425, 163, 167, 216, 0x4C00
IO_SETUP, IO_SUBMIT, IOCB_POLL = 206, 209, 5
libc = ctypes.CDLL(None, use_errno=True)


def read(path):
    fd = os.open(path, os.O_RDONLY)
    state = hashlib.sha256()
    while data := os.read(fd, 65536):
        state.update(data)
    return state.hexdigest()[:16]


def read_at(path, offset, length):
    data = os.pread(os.open(path, os.O_RDONLY), int(length), int(offset))
    return hashlib.sha256(data).hexdigest()[:16]


def write_at(path, offset):
    os.pwrite(os.open(path, os.O_RDWR), b"written over", int(offset))


def append(path):
    os.write(os.open(path, os.O_WRONLY | os.O_APPEND), b"appended")


def create(path):
    os.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), b"created")


def size(path):
    return os.stat(path).st_size


def map_shared(path):
    mmap.mmap(os.open(path, os.O_RDWR), 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def map_private(path, offset):
    """A page of a private mapping of the whole file, loaded and then written by the kernel: in a child, since the load may be its end."""
    child = os.fork()
    if child == 0:
        libc.mmap.restype = ctypes.c_void_p
        size = os.stat(path).st_size
        address = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ, mmap.MAP_PRIVATE, os.open(path, os.O_RDONLY), ctypes.c_long(0))
        written = libc.write(os.open("/dev/shm", os.O_TMPFILE | os.O_WRONLY), ctypes.c_void_p(address + int(offset)), ctypes.c_size_t(100))
        same = ctypes.string_at(address + int(offset), 100) == os.pread(os.open(path, os.O_RDONLY), 100, int(offset))
        os._exit(0 if same and written == 100 else 1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        sys.exit(print(signal.Signals(os.WTERMSIG(status)).name))
    if status != 0:
        sys.exit(print("wrong"))


def execute(path):
    os.execv(path, [path])


def clone(source, target):
    fcntl.ioctl(os.open(target, os.O_RDWR | os.O_CREAT), FICLONE, os.open(source, os.O_RDONLY))


def io_uring():
    parameters = (ctypes.c_char * 120)()
    if libc.syscall(IO_URING_SETUP, 4, parameters) < 0:
        raise OSError(ctypes.get_errno(), "")


def system_call(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


def native_poll():
    context, (reader, _) = ctypes.c_ulong(), os.pipe()
    system_call(IO_SETUP, 4, ctypes.byref(context))
    request = ctypes.create_string_buffer(struct.pack("QIIHhIQQqQII", 0, 0, 0, IOCB_POLL, 0, reader, 1, 0, 0, 0, 0, 0))
    system_call(IO_SUBMIT, context, ctypes.c_long(1), ctypes.byref(ctypes.pointer(request)))


def swap_on(path):
    system_call(SWAPON, path.encode(), 0)


def account(path):
    system_call(ACCT, path.encode())


def set_loop(path):
    fcntl.ioctl(os.open("/dev/null", os.O_RDWR), LOOP_SET_FD, os.open(path, os.O_RDWR))


def remap(path):
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, ctypes.c_size_t(8192), mmap.PROT_READ, mmap.MAP_SHARED, os.open(path, os.O_RDWR), ctypes.c_long(0))
    system_call(REMAP_FILE_PAGES, ctypes.c_void_p(address), ctypes.c_size_t(4096), 0, ctypes.c_size_t(1), 0)


def fill(path, chunk="65536"):
    """Writes until an error; prints how much was acknowledged before."""
    fd, written = os.open(path, os.O_WRONLY | os.O_CREAT), 0
    data = hashlib.shake_256(b"fill").digest(int(chunk))
    try:
        while True:
            written += os.write(fd, data)
    except OSError as error:
        print(written, file=sys.stderr)
        raise error


OPERATIONS = {"read": read, "read-at": read_at, "write-at": write_at, "append": append, "create": create, "size": size,
              "map-shared": map_shared, "map-private": map_private, "exec": execute, "rename": os.rename, "link": os.link, "clone": clone,
              "io_uring": io_uring, "native_poll": native_poll, "swap_on": swap_on, "account": account, "set_loop": set_loop,
              "remap": remap, "fill": fill, "truncate": lambda path, length: os.truncate(path, int(length))}

if __name__ == "__main__":
    try:
        answer = OPERATIONS[sys.argv[1]](*sys.argv[2:])
        print("ok" if answer is None else f"ok {answer}")
    except OSError as fault:
        print("EOPNOTSUPP" if fault.errno == errno.EOPNOTSUPP else errno.errorcode.get(fault.errno, fault.errno))
