"""LMDB with several processes: readers map the file, writers write() it or, with writemap, store into it."""
import os
import sys

import lmdb

marker = os.environ["MARKER"].encode()
writemap, name = sys.argv[1] == "writemap", sys.argv[1]
options = {"map_size": 64 << 20, "writemap": writemap, "max_dbs": 2, "subdir": True}
if len(sys.argv) > 2 and sys.argv[2] == "writer":
    env = lmdb.open(name, **options)
    who = sys.argv[3].encode()
    for i in range(60):
        with env.begin(write=True) as txn:
            txn.put(who + b"%d" % i, marker * (i % 7 + 1))
    if who == b"k":
        os.kill(os.getpid(), 9)
    env.close()
    sys.exit(0)
env = lmdb.open(name, **options)
with env.begin(write=True) as txn:
    for i in range(2000):
        txn.put(b"base%d" % i, marker + b"%d" % i)
reader = env.begin()
before = reader.stat()["entries"]
children = []
for who in "abk":
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, sys.argv[0], name, "writer", who])
    children.append(pid)
print(sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
print(before, reader.stat()["entries"])
reader.abort()
with env.begin() as txn:
    print(txn.stat()["entries"], txn.get(b"k59") == marker * 4, txn.get(b"a0") == marker)
with env.begin(write=True) as txn:
    for i in range(0, 2000, 2):
        txn.delete(b"base%d" % i)
env.sync(True)
with env.begin() as txn:
    print(sum(1 for _ in txn.cursor()))
env.close()
