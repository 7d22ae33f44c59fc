import array
import os
import socket

left, right = socket.socketpair()
if os.fork() == 0:
    fd = os.open("a", os.O_RDWR | os.O_CREAT)
    os.write(fd, os.environ["MARKER"].encode())
    socket.send_fds(left, [b"x"], [fd])
    os._exit(0)
_, (fd, *_), _, _ = socket.recv_fds(right, 10, 1)
os.wait()
os.write(fd, b" from the receiver")
print(os.pread(fd, 200, 0)[-12:], os.fstat(fd).st_size == len(open("a").read()))
os.close(fd)
pipe = os.open("a", os.O_RDONLY)
os.set_inheritable(pipe, True)
os.execv("/bin/cat", ["cat", f"/dev/fd/{pipe}"])
