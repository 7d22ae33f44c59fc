"""
The first file of a volume is needed by a thread inside of dlopen and by others at the same moment: dlopen's lock and the
engine's come together. A library outside of the volume brings the one inside.
"""
import ctypes
import sys
import threading

outside, text = sys.argv[1:]
threads = [threading.Thread(target=lambda: open(text).read()) for _ in range(4)]
threads += [threading.Thread(target=lambda: ctypes.CDLL(outside).outer()) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ctypes.CDLL(outside).outer())
