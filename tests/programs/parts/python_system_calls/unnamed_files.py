import os

marker = os.environ["MARKER"].encode()
try:
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
except OSError as e:
    print("no O_TMPFILE here")
else:
    os.write(fd, marker * 2000)
    print(os.fstat(fd).st_size, os.fstat(fd).st_nlink, os.pread(fd, 6, 0), os.listdir("."))
    os.link(f"/proc/self/fd/{fd}", "named", src_dir_fd=os.open(".", os.O_RDONLY), follow_symlinks=True)
    os.write(fd, b" and more")
    print(os.stat("named").st_size, os.stat("named").st_nlink, oct(os.stat("named").st_mode))
    os.close(fd)
    print(open("named", "rb").read() == marker * 2000 + b" and more")
try:
    os.link(os.environ["INPUTS"] + "/marker", "crossed")
    os.unlink("crossed")
    print("linked")
except OSError as e:
    print("linked" if e.errno == 18 else e)
