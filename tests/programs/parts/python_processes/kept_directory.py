"""A directory of the volume that a program keeps open while it goes into a root elsewhere, as those do that lock themselves in."""
import os

directory = os.open(".", os.O_RDONLY)
with open("before", "w") as file:
    file.write("before " + os.environ["MARKER"])
os.mkdir(os.environ["OUTSIDE"] + "/empty")
os.chroot(os.environ["OUTSIDE"] + "/empty")


def write(name, directory):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644, dir_fd=directory)
    os.write(fd, ("locked in " + os.environ["MARKER"]).encode())
    print(name, os.fstat(fd).st_size, os.stat(name, dir_fd=directory).st_size, os.pread(fd, 100, 0))
    os.close(fd)


write("by_a_directory", directory)
fd = os.open("before", os.O_RDONLY, dir_fd=directory)
print(os.read(fd, 100), os.fstat(fd).st_size)
os.rename("by_a_directory", "renamed", src_dir_fd=directory, dst_dir_fd=directory)
os.fchdir(directory)
write("by_the_working_directory", None)
