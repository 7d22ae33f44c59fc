"""Maps a file, and does what it is told, a line each: put AT TEXT, get AT COUNT, write AT TEXT, flush, kill, quit."""
import mmap
import os
import sys

fd = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(fd, 0)
print("mapped")
for line in sys.stdin:
    what, *rest = line.split()
    if what == "put":
        at, text = int(rest[0]), rest[1].encode()
        m[at:at + len(text)] = text
        print("ok")
    elif what == "get":
        at, count = int(rest[0]), int(rest[1])
        data = m[at:at + count]
        print(data.decode() if data == os.pread(fd, count, at) else f"map {data} but read {os.pread(fd, count, at)}")
    elif what == "write":
        os.pwrite(fd, rest[1].encode(), int(rest[0]))
        print("ok")
    elif what == "flush":
        m.flush()
        print("ok")
    elif what == "kill":
        os.kill(os.getpid(), 9)
    elif what == "quit":
        break
m.close()
