import os
import socket
import hashlib

source = os.environ["INPUTS"] + "/text.txt"
expected = open(source, "rb").read()


def same(name, data=expected):
    print(name, open(name, "rb").read() == data)


i, o = os.open(source, os.O_RDONLY), os.open("a", os.O_RDWR | os.O_CREAT)
left = len(expected)
while left:
    left -= os.sendfile(o, i, None, left)
same("a")
i, o = os.open("a", os.O_RDONLY), os.open("b", os.O_WRONLY | os.O_CREAT)
at = 0
while at < len(expected):
    at += os.sendfile(o, i, at, 100001)
same("b")
print(os.lseek(i, 0, 1), os.lseek(o, 0, 1) == len(expected))


def ranged(x, y, size):
    done = 0
    while done < size:
        n = os.copy_file_range(x, y, size - done)
        if n == 0:
            break
        done += n
    return done


print(ranged(os.open(source, os.O_RDONLY), os.open("c", os.O_WRONLY | os.O_CREAT), 10**9) == len(expected))
same("c")
print(ranged(os.open("c", os.O_RDONLY), os.open("d", os.O_WRONLY | os.O_CREAT), 10**9) == len(expected))
same("d")
out = os.environ["OUTSIDE"] + "/e"
ranged(os.open("d", os.O_RDONLY), os.open(out, os.O_WRONLY | os.O_CREAT), 10**9)
same(out) if open(out, "rb").read() != expected else print("outside too")
print(os.copy_file_range(os.open("d", os.O_RDONLY), os.open("d", os.O_WRONLY), 1000, 5000, 300000))
print(open("d", "rb").read() == expected[:300000] + expected[5000:6000] + expected[301000:])
left, right = socket.socketpair()
left.setblocking(True)
sent = os.sendfile(left.fileno(), os.open("a", os.O_RDONLY), 1234, 5000)
print(sent, right.recv(5000, socket.MSG_WAITALL) == expected[1234:6234])
r, w = os.pipe()
print(os.splice(os.open("a", os.O_RDONLY), w, 3000, offset_src=70), os.read(r, 5000) == expected[70:3070]) if hasattr(
    os, "splice"
) else None
os.write(w, b"from a pipe " + os.environ["MARKER"].encode())
f = os.open("s", os.O_RDWR | os.O_CREAT)
print(os.splice(r, f, 100))
print(os.pread(f, 12, 0))
