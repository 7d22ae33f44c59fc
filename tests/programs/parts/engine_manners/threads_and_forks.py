import os
import threading

data = open("a", "rb").read()
stop = False


def hammer(n):
    while not stop:
        if open("a", "rb").read() != data:
            print("wrong bytes")
        with open(f"t{n}", "wb") as f:
            f.write(data[: n * 5000])


threads = [threading.Thread(target=hammer, args=(n,)) for n in range(3)]
for t in threads:
    t.start()
for n in range(40):
    pid = os.fork()
    if pid == 0:
        ok = open("a", "rb").read() == data
        with open("child", "ab") as f:
            f.write(b"%d\n" % n)
        os._exit(0 if ok else 3)
    if os.waitpid(pid, 0)[1] != 0:
        print("child", n, "failed")
stop = True
for t in threads:
    t.join()
print(sorted(map(int, open("child"))) == list(range(40)))
