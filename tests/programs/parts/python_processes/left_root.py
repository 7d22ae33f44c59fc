"""A new root that is left again and again (rpm --root does so), and one inside of another: all that is written lies in the volume."""
import os

home, top = os.getcwd(), os.open("/", os.O_RDONLY)
os.makedirs("x/y")


def leave():
    os.fchdir(top)
    os.chroot(".")


for time in range(3):
    os.chroot(home + "/x")
    os.chdir("/")
    with open(f"/f{time}", "w") as file:
        file.write(f"{time} in the new root " + os.environ["MARKER"])
    print(open(f"/f{time}").read(), os.path.getsize(f"/f{time}"), sorted(os.listdir("/")))
    here = os.open("/", os.O_RDONLY)
    with os.fdopen(os.open(f"h{time}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here), "w") as file:
        file.write(f"{time} by a directory " + os.environ["MARKER"])
    os.close(here)
    print(os.path.getsize(f"/h{time}"))
    leave()
    print(open(f"{home}/x/f{time}").read(), open(f"{home}/x/h{time}").read())
    with open(os.environ["OUTSIDE"] + "/left", "a") as file:
        file.write(f"{time}\n")
    with open(home + f"/g{time}", "w") as file:
        file.write(f"{time} after it " + os.environ["MARKER"])
print(open(os.environ["OUTSIDE"] + "/left").read())
os.chroot(home + "/x")
os.chroot("/y")
os.chdir("/")
with open("/further", "w") as file:
    file.write("further in " + os.environ["MARKER"])
print(open("/further").read(), os.listdir("/"))
leave()
print(open(home + "/x/y/further").read(), os.path.getsize(home + "/x/y/further"))
