import mmap
import os
import shutil

shutil.copyfile(os.environ["INPUTS"] + "/text.txt", "a")
data = open("a", "rb").read()
with open("a", "rb") as f:
    m = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    print(len(m), m[:] == data, m.find(b"000500"), m[-5:] == data[-5:])
    m.seek(1000)
    print(m.readline()[:4])
    m.close()
    m = mmap.mmap(f.fileno(), 50000, flags=mmap.MAP_PRIVATE, offset=65536, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    print(m[:] == data[65536:115536])
    m[:5] = b"LOCAL"
    m.close()
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    m[0:4] = b"copy"
    m.close()
print(open("a", "rb").read() == data)
open("tiny", "wb").write(b"small " + os.environ["MARKER"].encode())
with open("tiny", "rb") as f:
    print(mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)[:6])
open("empty", "w")
try:
    mmap.mmap(open("empty", "rb").fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
except (ValueError, OSError) as e:
    print(e)
