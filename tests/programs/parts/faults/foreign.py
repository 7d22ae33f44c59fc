"""foreign.py FILE VOLUME: somebody outside of Overlay puts a plain file in the place of one that is open here."""
import errno
import os
import subprocess
import sys

path, volume = sys.argv[1:]
plain = os.path.dirname(volume) + "/plain-file"
with open(plain, "w") as out:
    out.write("plain\n")
fd = os.open(path, os.O_RDWR)
first = os.pread(fd, 100, 0)
outside = [sys.executable, "-S", "-c", f"""
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b852000000" "0f05" "c3"))  # rename(rdi, rsi), not by libc
call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p, ctypes.c_char_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
raise SystemExit(0 if call({plain.encode()!r}, {path.encode()!r}) == 0 else 1)
"""]
subprocess.run(outside, check=True)
# The descriptor has the old inode; the name leads to a plain file, which is refused.
assert os.pread(fd, 100, 0) == first
assert os.pwrite(fd, first, 0) == 100
os.fsync(fd)
for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
    try:
        os.open(path, flags)
        raise SystemExit("a plain file was opened")
    except OSError as fault:
        assert fault.errno == errno.EILSEQ, fault
assert os.pread(fd, 100, 0) == first
os.close(fd)
