# call_library.py LIBRARY TEXT: loads a library with system calls of its own, from a program that has none.
import ctypes
import os
import sys
import threading

library = ctypes.CDLL(os.path.abspath(sys.argv[1]))
text = sys.argv[2].encode()
print(library.write_file(b"by-library", text))
threads = [threading.Thread(target=library.write_file, args=(b"by-thread%d" % n, text * 500)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(open("by-library").read() == sys.argv[2], os.path.getsize("by-thread3"))
