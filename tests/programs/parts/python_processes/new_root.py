import os

f = open("a")
os.chroot(".")
os.chdir("/")
print(f.read(), os.listdir("/"))
open("/b", "w").write("in the new root " + os.environ["MARKER"])
print(open("/b").read())
