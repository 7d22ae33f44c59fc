import os

marker = os.environ["MARKER"]


def show(name):
    print(name, os.path.getsize(name), open(name, "rb").read()[:60])


with open("a", "w") as f:
    f.write(f"text {marker}\nsecond\n")
    print(f.tell())
with open("a", "r+") as f:
    f.seek(5)
    f.write("EDITED")
    f.seek(0, 2)
    f.write("end\n")
show("a")
with open("a", "a+") as f:
    f.write("appended\n")
    f.seek(0)
    print(len(f.read()), f.tell())
with open("b", "wb", buffering=0) as f:
    for i in range(50):
        f.write(b"%05d " % i)
    f.seek(100)
    f.write(b"UNBUFFERED")
    f.truncate(200)
    print(f.tell())
show("b")
with open("c", "w+b") as f:
    f.write(bytes(range(256)) * 300)
    f.seek(70000)
    print(f.read(4))
    f.seek(-4, 1)
    f.write(b"mark")
    f.seek(0)
    print(len(f.read()))
with open("d", "w", newline="\r\n", encoding="utf-16") as f:
    f.write("line\nß\n")
show("d")
try:
    open("a", "x")
except FileExistsError as e:
    print(e.errno)
with open("x", "xb") as f:
    print(f.readable(), f.writable(), f.seekable())
try:
    open("x", "rb").write(b"")
except OSError as e:
    print(type(e).__name__)
fd = os.open("w", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
os.write(fd, marker.encode())
try:
    os.read(fd, 10)
except OSError as e:
    print("read", e.errno)
os.close(fd)
fd = os.open("w", os.O_RDONLY)
try:
    os.write(fd, b"x")
except OSError as e:
    print("write", e.errno)
try:
    os.ftruncate(fd, 1)
except OSError as e:
    print("ftruncate", e.errno)
fd = os.open("w", os.O_RDWR | os.O_TRUNC)
print(os.fstat(fd).st_size, os.pread(fd, 10, 0))
os.close(fd)
for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
    try:
        os.open("missing", flags)
    except OSError as e:
        print(e.errno, end=" ")
    try:
        os.open(".", flags)
        print("ok", end=" ")
    except OSError as e:
        print(e.errno, end=" ")
    try:
        os.open("a/b", flags)
    except OSError as e:
        print(e.errno, end=" ")
try:
    os.open("a", os.O_DIRECTORY)
except OSError as e:
    print(e.errno)
os.symlink("a", "link")
try:
    os.open("link", os.O_NOFOLLOW)
except OSError as e:
    print(e.errno)
fd = os.open("a", os.O_PATH)
print(os.fstat(fd).st_size, len(open(f"/proc/self/fd/{fd}").read()))
try:
    os.read(fd, 1)
except OSError as e:
    print(e.errno)
folder = os.open(".", os.O_RDONLY)
print(os.stat("a", dir_fd=folder).st_size, os.open("a", os.O_RDONLY, dir_fd=folder) > 0)
