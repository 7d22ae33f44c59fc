"""dlopen at run time: by path and by name, twice, with dependencies, of a file that is none; and from threads at once."""
import ctypes
import os
import threading

three = ctypes.CDLL("./lib/libthree.so")
print(three.three())
print(ctypes.CDLL(os.getcwd() + "/lib/libthree.so")._handle == three._handle)
os.link("lib/libtwo.so", "lib/same.so")
print(ctypes.CDLL("lib/same.so").two(), ctypes.CDLL("lib/libtwo.so")._handle == ctypes.CDLL("lib/same.so")._handle)
for wrong in ("two.c", "lib/missing.so", "lib", "empty.so"):
    try:
        ctypes.CDLL("./" + wrong)
    except OSError as error:
        print(error)
with open("lib/libtwo.so", "rb") as original, open("copy.so", "wb") as copy:
    copy.write(original.read())
copied = ctypes.CDLL("./copy.so")
os.unlink("copy.so")
print(copied.two())


def load(i):
    for name in ("three", "two"):
        with open(f"lib/lib{name}.so", "rb") as original, open(f"{name}{i}.so", "wb") as copy:
            copy.write(original.read())
        getattr(ctypes.CDLL(f"./{name}{i}.so"), name)()
        os.unlink(f"{name}{i}.so")


threads = [threading.Thread(target=load, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads done")
