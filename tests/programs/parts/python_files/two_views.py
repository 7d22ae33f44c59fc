import os

w = open("a", "wb", buffering=0)
r = open("a", "rb", buffering=0)
d = os.dup(w.fileno())
for i in range(300):
    data = os.environ["MARKER"].encode() + b" %d\n" % i
    (w.write(data) if i % 2 else os.write(d, data))
    if r.read(4096) != data:
        print("stale at", i)
print(os.lseek(d, 0, 1) == w.tell() == os.fstat(r.fileno()).st_size)
w.seek(10)
os.write(d, b"OVER")
r.seek(8)
print(r.read(8))
os.truncate("a", 12)
print(r.read(), w.tell(), os.stat("a").st_size)
w.write(b"hole?")
r.seek(0)
print(r.read())
os.rename("a", "b")
w.write(b" renamed")
print(open("b", "rb").read()[-8:])
os.unlink("b")
w.write(b" unlinked")
r.seek(-9, 2)
print(r.read(), os.fstat(d).st_nlink)
