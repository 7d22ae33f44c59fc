"""cut.py FILE VOLUME: the backing file is cut by somebody outside of Overlay while it is open here."""
import errno
import os
import subprocess
import sys

path, volume = sys.argv[1:]
expected = open(path, "rb").read()
outside = {name: value for name, value in os.environ.items() if not name.startswith(("LD_PRELOAD", "OVERLAY_"))}


def cut(length):
    """A static or unwatched program would do it: system calls that libc does not make."""
    subprocess.run([sys.executable, "-S", "-c", f"""
import ctypes
libc = ctypes.CDLL(None)
code = bytes.fromhex("b84c000000" "0f05" "c3")  # truncate(rdi, rsi)
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p, ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
raise SystemExit(0 if call({path.encode()!r}, {length}) == 0 else 1)
"""], check=True)


def pieces(fd):
    answers = set()
    for start in range(0, len(expected), 4096):
        try:
            found = os.pread(fd, 4096, start)
            assert found == expected[start:start + 4096], f"garbage at {start}"
            answers.add("same")
        except OSError as fault:
            answers.add(errno.errorcode[fault.errno])
    return answers


fd = os.open(path, os.O_RDWR)
cut(30_000)
answers = pieces(fd)
print("cut behind the header:", answers)
assert "EIO" in answers and answers <= {"same", "EIO"}, answers
other = os.open(path, os.O_RDONLY)
assert pieces(other) <= {"same", "EIO"}
cut(0)
print("cut to nothing:", pieces(fd))
assert pieces(fd) <= {"same", "EIO"}
try:
    os.pwrite(fd, b"must not be plain" * 100, 0)
    os.fsync(fd)
except OSError as fault:
    print("write:", errno.errorcode[fault.errno])
    assert fault.errno == errno.EIO
try:
    found = open(path, "rb").read()
    raise SystemExit(f"a file without a header was read: {len(found)} bytes")
except OSError as fault:
    print("open:", errno.errorcode[fault.errno])
    assert fault.errno == errno.EIO, fault
os.close(fd)
os.close(other)
