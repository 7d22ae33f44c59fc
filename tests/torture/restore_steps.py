#!/usr/bin/python3
"""restore_steps.py DIRECTORY SEED STEPS TURN: works on a dozen files, the same way each time with the same seed; what it reads is what it
wrote or found. It writes its process id, then each step's number, to the file TURN, which lies outside of the volume; at the end it
says what it found at its start: nothing is refused there."""
import os
import random
import sys

FILES = 12
directory, seed, steps, turn_path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
chosen = random.Random(seed)
turn = os.open(turn_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def path_of(number):
    return f"{directory}/restore.{number}"


def read(number):
    with open(path_of(number), "rb") as file:
        return bytearray(file.read())


def write_at(number, model, offset, data):
    with open(path_of(number), "r+b", buffering=0) as file:
        assert os.pwrite(file.fileno(), data, offset) == len(data)
        if chosen.random() < 0.1:
            os.fsync(file.fileno())
    if len(model) < offset:
        model.extend(bytes(offset - len(model)))
    model[offset:offset + len(data)] = data


def replace(number, model):
    model[:] = chosen.randbytes(chosen.choice((100, 3000, 9000, 70000)))
    with open(path_of(number) + ".new", "wb") as file:
        file.write(model)
    os.rename(path_of(number) + ".new", path_of(number))


def truncate(number, model):
    length = chosen.randrange(len(model) + 1)
    os.truncate(path_of(number), length)
    del model[length:]


def write_in_child(number, model):
    data, offset = chosen.randbytes(500), chosen.randrange(len(model) + 1)
    child = os.fork()
    if child == 0:
        write_at(number, bytearray(model), offset, data)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    chosen.random()  # as the child did
    model[offset:offset + len(data)] = data


models = {}
for number in range(FILES):
    if not os.path.exists(path_of(number)):
        open(path_of(number), "xb").close()
    models[number] = read(number)
found = sum(map(len, models.values()))
for step in range(steps):
    os.pwrite(turn, b"%d %d\n" % (os.getpid(), step), 0)
    number = chosen.randrange(FILES)
    model = models[number]
    way = chosen.random()
    if way < 0.2:
        replace(number, model)
    elif way < 0.25:
        truncate(number, model)
    elif way < 0.35:
        write_in_child(number, model)
    else:
        write_at(number, model, chosen.randrange(min(len(model), 60000) + 1), chosen.randbytes(chosen.choice((10, 700, 5000, 20000))))
    assert read(number) == model, f"{path_of(number)} in step {step}"
print(f"{steps} steps; {found} bytes were there")
