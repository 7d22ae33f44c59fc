import os

marker = os.environ["MARKER"]
shared = os.open("shared", os.O_WRONLY | os.O_CREAT)  # one description, one offset
for writer in range(6):
    if os.fork() == 0:
        own = os.open("appended", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for i in range(150):
            line = f"{writer} {i:03d} {marker} {'=' * (i % 70)}\n".encode()
            os.write(shared, line)
            os.write(own, line)
        os._exit(0)
for _ in range(6):
    os.wait()
for name in ("shared", "appended"):
    print(name, len(set(open(name))), os.path.getsize(name))
print(os.lseek(shared, 0, 1) == os.path.getsize("shared"), sorted(open("shared")) == sorted(open("appended")))
