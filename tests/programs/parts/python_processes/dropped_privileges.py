import os

os.chmod(".", 0o777)
os.chmod("a", 0o666)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
print(open("a").read())
open("a", "a").write("dropped\n")
open("c", "w").write("new " + os.environ["MARKER"])
print(open("c").read(), os.stat("c").st_uid)
