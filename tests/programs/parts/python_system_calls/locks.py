import fcntl
import os
import struct

f = open("a", "w+")
f.write(os.environ["MARKER"])
f.flush()


def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except OSError as e:
            os._exit(e.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def lockf(start, length, kind=fcntl.LOCK_EX):
    return lambda: fcntl.lockf(open("a", "r+"), kind | fcntl.LOCK_NB, length, start)


fcntl.lockf(f, fcntl.LOCK_EX, 100, 0)
print(child(lockf(50, 1)), child(lockf(100, 10)))
g = open("a")
g.read(1)
holder = struct.unpack(
    "hhqqi4x", fcntl.fcntl(open("b", "w+"), fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
)
print(holder[0] == fcntl.F_UNLCK)


def ask():
    answer = struct.unpack(
        "hhqqi4x", fcntl.fcntl(open("a", "r+"), fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    )
    print(answer[0] == fcntl.F_WRLCK, answer[2:4], answer[4] == os.getppid(), flush=True)


child(ask)
os.stat("a")
f.read()
f.write("more")
f.flush()
os.truncate("a", 500)
print("still held:", child(lockf(0, 1)) != 0)
g.close()
print("after closing another descriptor:", child(lockf(0, 1)))
fcntl.flock(f, fcntl.LOCK_EX)
print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB)))
h = os.dup(f.fileno())
f.close()
print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB)))
os.close(h)
print(child(lambda: fcntl.flock(open("a"), fcntl.LOCK_SH | fcntl.LOCK_NB)))
