import multiprocessing
import os
import threading


def job(n):
    with open(f"f{n % 5}", "r+b") as f:
        f.seek(n * 1000)
        f.write(b"%06d" % n * 166 + b"\n\n\n\n")
        f.seek(0)
        return len(f.read()) > 0


def seen(n):
    return open(f"f{n % 5}", "rb").read()[n * 1000 : n * 1000 + 6] == b"%06d" % n


def hammer(n, wrong):
    for i in range(40):
        with open(f"t{n}", "ab") as f:
            f.write(b"x" * (i * n))
        if os.path.getsize(f"t{n}") != sum(j * n for j in range(i + 1)):
            wrong.append((n, i))


if __name__ == "__main__":
    for n in range(5):
        open(f"f{n}", "wb").truncate(100000)
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(method, all(pool.map(job, range(90))), all(pool.map(seen, range(90))), flush=True)
    wrong = []
    threads = [threading.Thread(target=hammer, args=(n, wrong)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(wrong)
