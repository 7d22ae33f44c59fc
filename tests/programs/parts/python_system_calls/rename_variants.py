import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def renameat2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) == 0:
        return "ok"
    return errno.errorcode[ctypes.get_errno()]


open("a", "w").write("a " + os.environ["MARKER"])
open("b", "w").write("b" * 20000)
print(
    renameat2("a", "b", 1),
    renameat2("a", "b", 2),
    open("a").read()[:3],
    open("b").read()[:3],
    renameat2("a", "c", 1),
    renameat2("c", "missing", 2),
    sorted(os.listdir(".")),
)
held = open("c")
os.replace("b", "c")
print(held.read()[:3], open("c").read()[:2])
for a, b in (("missing", "x"), ("c", "no/where"), ("c", "."), (".", "c")):
    try:
        os.rename(a, b)
    except OSError as e:
        print(errno.errorcode[e.errno])
os.mkdir("d")
os.rename("c", "d/c")
os.rename("d", "e")
print(open("e/c").read()[:2], held.read(1))
