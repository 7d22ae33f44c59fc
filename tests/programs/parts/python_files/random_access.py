import os
import random
import hashlib

for size in (3000, 20000, 600000):
    choice, model = random.Random(size), bytearray()
    fd = os.open(f"f{size}", os.O_RDWR | os.O_CREAT)
    for step in range(1500):
        at, length, kind = choice.randrange(size), choice.choice((1, 7, 300, 4096, 20000)), choice.randrange(12)
        if kind < 5:
            data = choice.randbytes(length) if kind < 2 else bytes([65 + step % 26]) * length
            if at > len(model):
                model.extend(bytes(at - len(model)))
            model[at : at + length] = data
            os.pwrite(fd, data, at)
        elif kind < 10:
            if os.pread(fd, length, at) != model[at : at + length]:
                print("wrong bytes", size, step, at, length)
        elif kind == 10 and step % 5 == 0:
            if at < len(model):
                del model[at:]
            else:
                model.extend(bytes(at - len(model)))
            os.ftruncate(fd, at)
        elif os.fstat(fd).st_size != len(model):
            print("wrong size", size, step)
    os.close(fd)
    print(size, hashlib.sha256(open(f"f{size}", "rb").read()).digest() == hashlib.sha256(model).digest())
