"""size_limit.py DIRECTORY: what RLIMIT_FSIZE lets through, and how it says no."""
import errno
import os
import resource
import signal
import sys

path = sys.argv[1] + "/limited"
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def attempt(action, *arguments):
    try:
        return action(*arguments)
    except OSError as fault:
        return errno.errorcode[fault.errno]


def session(limit, chunk):
    if os.path.exists(path):
        os.unlink(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    answers = []
    for _ in range(200):
        answers.append(attempt(os.write, fd, b"x" * chunk))
        if not isinstance(answers[-1], int):
            break
    print(limit, chunk, "wrote", sum(n for n in answers if isinstance(n, int)), answers[-2:], os.fstat(fd).st_size)
    print("grow", attempt(os.ftruncate, fd, limit), attempt(os.ftruncate, fd, limit + 1), os.fstat(fd).st_size)
    print("inside", attempt(os.pwrite, fd, b"yy", max(0, limit - 2)), attempt(os.pwrite, fd, b"zzz", limit - 1), attempt(os.pwrite, fd, b"z", limit))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    content = os.pread(fd, 1 << 24, 0)
    print("left", len(content), set(content[:-2]), content[-2:])
    print("lifted", attempt(os.pwrite, fd, b"more", limit), os.fstat(fd).st_size)
    os.close(fd)


for limit, chunk in ((1000, 300), (4096, 1000), (100_000, 7000), (1 << 20, 65536), (3_000_000, 100_000)):
    session(limit, chunk)
child = os.fork()
if child == 0:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    while True:
        os.write(fd, b"x" * 9000)
print("by default dies of signal", os.waitpid(child, 0)[1] & 127, os.stat(path).st_size)
