"""moved.py FROM TO: the volume gets another name while it is used. Open files go on; nothing is written there in the clear."""
import errno
import os
import subprocess
import sys

source, target = sys.argv[1:]
os.chdir(source)
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.write(fd, b"first")
os.rename(source, target)
os.write(fd, b"second\n")
os.fsync(fd)
assert os.pread(fd, 20, 0) == b"firstsecond\n"
answers = []
for how in ("relative", target + "/absolute", "child"):
    try:
        if how == "child":
            answers.append(subprocess.run(["sh", "-c", "echo must not be plain >child"], stderr=subprocess.DEVNULL).returncode)
        else:
            new = os.open(how, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(new, b"must not be plain")
            os.close(new)
            answers.append("written")
    except OSError as fault:
        answers.append(fault.errno)
print(answers)
assert answers == [errno.ESTALE, errno.ESTALE, 125], answers
assert open("a").read() == "firstsecond\n"
os.close(fd)
