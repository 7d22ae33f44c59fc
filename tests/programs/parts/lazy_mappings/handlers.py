"""faulthandler's SIGSEGV handler, enabled before the first mapping and after it."""
import ctypes
import faulthandler
import mmap
import os
import sys

when = sys.argv[1]
if when == "before":
    faulthandler.enable()
with open("big", "rb") as file:
    view = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    copy = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
print(view[5 << 20] == (5 << 20) % 251, len(view))
if when == "after":
    faulthandler.enable()
print(all(view[at] == at % 251 for at in range(0, len(view), 9973)), faulthandler.is_enabled())
copy[100:104] = b"mine"
print(copy[98:106], view[98:106], copy.find(b"mine"), view.rfind(bytes(range(251))) == copy.rfind(bytes(range(251))))
os.write(os.open("out", os.O_CREAT | os.O_WRONLY), copy)
sys.stdout.flush()
ctypes.string_at(0)
