"""A sparse file of 10 GiB, mapped private: what is touched takes memory, and nothing else."""
import mmap
import os
import random
import resource
import sys

SIZE, EACH = 10 << 30, 64 << 20
places = [start + random.Random(start).randrange(60 << 20) for start in range(0, SIZE, EACH)]
if sys.argv[1] == "make":
    with open("huge", "wb") as file:
        for place in places:
            file.seek(place)
            file.write(b"%12d|" % place * 700)
        file.truncate(SIZE)
    sys.exit()
with open("huge", "rb") as file:
    try:
        view = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
        copy = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except OSError as fault:
        sys.exit(print(fault))
print(sum(view[place:place + 13] == b"%12d|" % place for place in places), "of", len(places))
print(sum(view[random.Random(i).randrange(SIZE)] == 0 for i in range(2000)) > 1900, view[SIZE - 1], len(view))
for place in places[:20]:
    copy[place:place + 12] = b"x" * 12
print(sum(copy[place:place + 13] == b"x" * 12 + b"|" for place in places), view[places[3]:places[3] + 13])
child = os.fork()
if child == 0:
    print(copy[places[19]:places[19] + 13], copy[places[100]:places[100] + 13] == view[places[100]:places[100] + 13])
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
print("in memory at most 400 MB:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 400_000)
