"""Shared mappings of several processes: fork, unrelated ones, and killed ones."""
import mmap
import os
import signal
import subprocess
import sys
import time

marker = os.environ["MARKER"].encode()
open("f", "wb").write(marker * 2000)
fd = os.open("f", os.O_RDWR)
m = mmap.mmap(fd, 0)


def child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def killed(at, text):
    m[at:at + len(text)] = text
    os.kill(os.getpid(), signal.SIGKILL)


m[0:6] = b"parent"
child(lambda: m.__setitem__(slice(10, 15), b"child"))
print(m[10:15], os.pread(fd, 6, 0))
child(lambda: killed(20, b"killed"))
print(m[20:26])
child(lambda: os.pwrite(os.open("f", os.O_RDWR), b"written", 30))
print(m[30:37])
child(lambda: os.truncate("f", 50000))
print(os.fstat(fd).st_size)

# Other programs see it, and are seen, while it is mapped.
print(subprocess.run(["head", "-c", "26", "f"], capture_output=True).stdout)
subprocess.run(["dd", "if=/dev/stdin", "of=f", "conv=notrunc", "status=none"], input=b"by dd")
print(m[0:6])
m[6:7] = b"!"
other = """
import mmap, os, sys
m = mmap.mmap(os.open("f", os.O_RDWR), 0)
print(m[0:7])
m[40:45] = b"other"
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""
print(subprocess.run([sys.executable, "-c", other], stdout=subprocess.PIPE))
print(m[40:45], os.pread(fd, 5, 40))
m.close()
os.close(fd)
print(open("f", "rb").read(45)[40:])

# The only process that maps it is killed: the next reader, at once and later, finds what it wrote.
alone = """
import mmap, os, sys
m = mmap.mmap(os.open("f", os.O_RDWR), 0)
m[60:65] = sys.argv[1].encode()
m[49990:49995] = sys.argv[1].encode()
os.kill(os.getpid(), 9)
"""
for word in ("first", "secnd"):
    subprocess.run([sys.executable, "-c", alone, word])
    print(open("f", "rb").read()[60:65], open("f", "rb").read()[49990:49995])
time.sleep(1.5)
print(open("f", "rb").read()[60:65], open("f", "rb").read()[49990:49995])

# exec with a mapping; a child that outlives its parent.
if os.fork() == 0:
    m = mmap.mmap(os.open("f", os.O_RDWR), 0)
    m[70:74] = b"exec"
    os.execvp("true", ["true"])
os.wait()
print(open("f", "rb").read()[70:74])
pid = os.fork()
if pid == 0:
    m = mmap.mmap(os.open("f", os.O_RDWR), 0)
    if os.fork() == 0:
        time.sleep(1)
        m[80:86] = b"orphan"
        os._exit(0)
    os.kill(os.getpid(), 9)
os.waitpid(pid, 0)
time.sleep(2)
print(open("f", "rb").read()[80:86])
