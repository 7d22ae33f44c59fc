# about: python3 and the system calls: sendfile, copy_file_range, preadv, fallocate, O_TMPFILE, holes, mmap, locks
# needs: python3

case_vectors() {
    python3 - <<'PYTHON'
import os
marker = os.environ["MARKER"].encode()
fd = os.open("a", os.O_RDWR | os.O_CREAT)
print(os.writev(fd, [b"one ", b"", marker, b" " * 20000, b"end"]), os.lseek(fd, 0, 1))
print(os.pwritev(fd, [b"PW", b"RITE"], 16380), os.lseek(fd, 0, 1))
buffers = [bytearray(10), bytearray(20000), bytearray(500)]; print(os.preadv(fd, buffers, 16375), bytes(buffers[0]))
print(os.preadv(fd, buffers, 4, os.RWF_HIPRI) if False else os.preadv(fd, buffers, 4), bytes(buffers[0]))
os.lseek(fd, 0, 0); print(os.readv(fd, buffers), os.lseek(fd, 0, 1))
print(os.pwritev(fd, [b"synced"], 100, os.RWF_DSYNC)); os.fsync(fd); os.fdatasync(fd); os.sync()
try: os.pread(fd, 10, -1)
except OSError as e: print(e.errno)
try: os.lseek(fd, -1, os.SEEK_SET)
except OSError as e: print(e.errno)
print(os.pread(fd, 10, 10**6), os.lseek(fd, 10**6, os.SEEK_SET), os.read(fd, 5), os.fstat(fd).st_size)
a = os.open("a", os.O_WRONLY | os.O_APPEND); os.write(a, b"tail"); print(os.lseek(a, 0, 1)); os.lseek(a, 0, 0); os.write(a, b"again"); print(os.lseek(a, 0, 1), os.stat("a").st_size)
PYTHON
    checksum a
}

case_copies_in_the_kernel() {
    python3 - <<'PYTHON'
import os, socket, hashlib
source = os.environ["INPUTS"] + "/text.txt"; expected = open(source, "rb").read()
def same(name, data=expected): print(name, open(name, "rb").read() == data)
i, o = os.open(source, os.O_RDONLY), os.open("a", os.O_RDWR | os.O_CREAT); left = len(expected)
while left: left -= os.sendfile(o, i, None, left)
same("a")
i, o = os.open("a", os.O_RDONLY), os.open("b", os.O_WRONLY | os.O_CREAT); at = 0
while at < len(expected): at += os.sendfile(o, i, at, 100001)
same("b"); print(os.lseek(i, 0, 1), os.lseek(o, 0, 1) == len(expected))
def ranged(x, y, size):
    done = 0
    while done < size:
        n = os.copy_file_range(x, y, size - done)
        if n == 0: break
        done += n
    return done
print(ranged(os.open(source, os.O_RDONLY), os.open("c", os.O_WRONLY | os.O_CREAT), 10**9) == len(expected)); same("c")
print(ranged(os.open("c", os.O_RDONLY), os.open("d", os.O_WRONLY | os.O_CREAT), 10**9) == len(expected)); same("d")
out = os.environ["OUTSIDE"] + "/e"; ranged(os.open("d", os.O_RDONLY), os.open(out, os.O_WRONLY | os.O_CREAT), 10**9); same(out) if open(out, "rb").read() != expected else print("outside too")
print(os.copy_file_range(os.open("d", os.O_RDONLY), os.open("d", os.O_WRONLY), 1000, 5000, 300000)); print(open("d", "rb").read() == expected[:300000] + expected[5000:6000] + expected[301000:])
left, right = socket.socketpair(); left.setblocking(True)
sent = os.sendfile(left.fileno(), os.open("a", os.O_RDONLY), 1234, 5000); print(sent, right.recv(5000, socket.MSG_WAITALL) == expected[1234:6234])
r, w = os.pipe(); print(os.splice(os.open("a", os.O_RDONLY), w, 3000, offset_src=70), os.read(r, 5000) == expected[70:3070]) if hasattr(os, "splice") else None
os.write(w, b"from a pipe " + os.environ["MARKER"].encode()); f = os.open("s", os.O_RDWR | os.O_CREAT); print(os.splice(r, f, 100)); print(os.pread(f, 12, 0))
PYTHON
}

case_allocation_and_holes() {
    python3 - <<'PYTHON'
import os, errno
def attempt(f, *a):
    try: return f(*a)
    except OSError as e: return errno.errorcode[e.errno]
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(fd, 0, 100000); print(os.fstat(fd).st_size, os.pread(fd, 100001, 0) == bytes(100000))
os.posix_fallocate(fd, 99999, 10); os.posix_fallocate(fd, 5, 10); print(os.fstat(fd).st_size)
os.pwrite(fd, os.environ["MARKER"].encode(), 50000); os.posix_fallocate(fd, 40000, 20000); print(os.pread(fd, 10, 50000))
os.ftruncate(fd, 10); os.ftruncate(fd, 30); print(os.pread(fd, 100, 0)); os.truncate("a", 5 * 10**6); print(os.stat("a").st_size)
print(attempt(os.ftruncate, fd, -1), attempt(os.posix_fallocate, fd, 0, 0), attempt(os.truncate, "missing", 1))
h = os.open("h", os.O_RDWR | os.O_CREAT); os.pwrite(h, b"data", 10 * 2**20); os.pwrite(h, b"x" * 65536, 0)
print(attempt(os.lseek, h, 0, os.SEEK_DATA), attempt(os.lseek, h, 20 * 2**20, os.SEEK_DATA), attempt(os.lseek, h, 20 * 2**20, os.SEEK_HOLE))
# Where holes lie is the file system's own affair; that data is found, and nothing but zeros is left out, is not.
found, at = b"", 0
while True:
    at = attempt(os.lseek, h, at, os.SEEK_DATA)
    if isinstance(at, str): print(at); break
    end = os.lseek(h, at, os.SEEK_HOLE); found += os.pread(h, end - at, at).strip(b"\0"); at = end
print(len(found), os.fstat(h).st_size)
PYTHON
    checksum a h
}

case_unnamed_files() {
    python3 - <<'PYTHON'
import os
marker = os.environ["MARKER"].encode()
try: fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
except OSError as e: print("no O_TMPFILE here")
else:
    os.write(fd, marker * 2000); print(os.fstat(fd).st_size, os.fstat(fd).st_nlink, os.pread(fd, 6, 0), os.listdir("."))
    os.link(f"/proc/self/fd/{fd}", "named", src_dir_fd=os.open(".", os.O_RDONLY), follow_symlinks=True); os.write(fd, b" and more"); print(os.stat("named").st_size, os.stat("named").st_nlink, oct(os.stat("named").st_mode)); os.close(fd)
    print(open("named", "rb").read() == marker * 2000 + b" and more")
try: os.link(os.environ["INPUTS"] + "/marker", "crossed"); os.unlink("crossed"); print("linked")
except OSError as e: print("linked" if e.errno == 18 else e)
PYTHON
}

case_mapped_reading() {
    python3 - <<'PYTHON'
import mmap, os, shutil
shutil.copyfile(os.environ["INPUTS"] + "/text.txt", "a"); data = open("a", "rb").read()
with open("a", "rb") as f:
    m = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    print(len(m), m[:] == data, m.find(b"000500"), m[-5:] == data[-5:]); m.seek(1000); print(m.readline()[:4]); m.close()
    m = mmap.mmap(f.fileno(), 50000, flags=mmap.MAP_PRIVATE, offset=65536, prot=mmap.PROT_READ | mmap.PROT_WRITE); print(m[:] == data[65536:115536]); m[:5] = b"LOCAL"; m.close()
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY); m[0:4] = b"copy"; m.close()
print(open("a", "rb").read() == data)
open("tiny", "wb").write(b"small " + os.environ["MARKER"].encode())
with open("tiny", "rb") as f: print(mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)[:6])
open("empty", "w")
try: mmap.mmap(open("empty", "rb").fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
except (ValueError, OSError) as e: print(e)
PYTHON
}

case_locks() {
    python3 - <<'PYTHON'
import fcntl, os, struct
f = open("a", "w+"); f.write(os.environ["MARKER"]); f.flush()
def child(work):
    pid = os.fork()
    if pid == 0:
        try: work(); os._exit(0)
        except OSError as e: os._exit(e.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def lockf(start, length, kind=fcntl.LOCK_EX): return lambda: fcntl.lockf(open("a", "r+"), kind | fcntl.LOCK_NB, length, start)
fcntl.lockf(f, fcntl.LOCK_EX, 100, 0); print(child(lockf(50, 1)), child(lockf(100, 10)))
g = open("a"); g.read(1); holder = struct.unpack("hhqqi4x", fcntl.fcntl(open("b", "w+"), fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))); print(holder[0] == fcntl.F_UNLCK)
def ask():
    answer = struct.unpack("hhqqi4x", fcntl.fcntl(open("a", "r+"), fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)))
    print(answer[0] == fcntl.F_WRLCK, answer[2:4], answer[4] == os.getppid(), flush=True)
child(ask)
os.stat("a"); f.read(); f.write("more"); f.flush(); os.truncate("a", 500); print("still held:", child(lockf(0, 1)) != 0)
g.close(); print("after closing another descriptor:", child(lockf(0, 1)))
fcntl.flock(f, fcntl.LOCK_EX); print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB))); h = os.dup(f.fileno()); f.close(); print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB))); os.close(h); print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB)))
PYTHON
}

case_flags_and_duplicates() {
    python3 - <<'PYTHON'
import fcntl, os
fd = os.open("a", os.O_RDWR | os.O_CREAT); os.write(fd, os.environ["MARKER"].encode() + b"0123456789")
print(oct(fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_ACCMODE | os.O_APPEND)), fcntl.fcntl(fd, fcntl.F_GETFD))
fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND); os.lseek(fd, 0, 0); os.write(fd, b"appended"); print(os.pread(fd, 8, os.fstat(fd).st_size - 8)); fcntl.fcntl(fd, fcntl.F_SETFL, 0)
os.lseek(fd, 3, 0); os.write(fd, b"XYZ"); print(os.pread(fd, 8, 0))
two = os.dup(fd); three = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50); os.dup2(fd, 77); print(two, three >= 50, os.read(77, 3), os.read(two, 3), os.lseek(three, 0, 1))
os.close(fd); os.write(77, b"after close"); os.close(77); os.lseek(two, 0, 0); print(len(os.read(three, 1000)))
null = os.open("/dev/null", os.O_RDWR); os.dup2(null, two); print(os.read(two, 5), os.write(two, b"gone")); os.dup2(three, null); print(os.lseek(null, 0, 1) > 0)
for flags in (os.O_SYNC, os.O_DSYNC, os.O_NOATIME, os.O_NONBLOCK, os.O_NOCTTY, os.O_CLOEXEC): x = os.open("a", os.O_RDWR | flags); os.write(x, b"flag"); print(len(os.read(x, 4)), end=" "); os.close(x)
print(); os.posix_fadvise(three, 0, 0, os.POSIX_FADV_DONTNEED); print(os.fstat(three).st_size, os.fpathconf(three, "PC_NAME_MAX"), os.isatty(three)); os.fchmod(three, 0o400); print(oct(os.fstat(three).st_mode)); os.utime(three, (1, 2)); print(os.stat("a").st_mtime)
PYTHON
}

case_rename_variants() {
    python3 - <<'PYTHON'
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def renameat2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) == 0: return "ok"
    return errno.errorcode[ctypes.get_errno()]
open("a", "w").write("a " + os.environ["MARKER"]); open("b", "w").write("b" * 20000)
print(renameat2("a", "b", 1), renameat2("a", "b", 2), open("a").read()[:3], open("b").read()[:3], renameat2("a", "c", 1), renameat2("c", "missing", 2), sorted(os.listdir(".")))
held = open("c"); os.replace("b", "c"); print(held.read()[:3], open("c").read()[:2])
for a, b in (("missing", "x"), ("c", "no/where"), ("c", "."), (".", "c")):
    try: os.rename(a, b)
    except OSError as e: print(errno.errorcode[e.errno])
os.mkdir("d"); os.rename("c", "d/c"); os.rename("d", "e"); print(open("e/c").read()[:2], held.read(1))
PYTHON
}
