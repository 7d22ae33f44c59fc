# call_go.py LIBRARY TEXT
import ctypes
import os
import sys
import threading

library = ctypes.CDLL(os.path.abspath(sys.argv[1]))
text = sys.argv[2].encode()
print(library.WriteFiles(b".", 20, text))
for n in range(4):
    os.mkdir(f"d{n}")
threads = [threading.Thread(target=library.WriteFiles, args=(b"d%d" % n, 5, text)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(open("lib3").read(), end="")
