# about: python3 open modes, buffering, seek and tell, tempfile, shutil, pathlib, zipfile, tarfile
# needs: python3

case_open_modes() {
    python3 - <<'PYTHON'
import os
marker = os.environ["MARKER"]
def show(name): print(name, os.path.getsize(name), open(name, "rb").read()[:60])
with open("a", "w") as f: f.write(f"text {marker}\nsecond\n"); print(f.tell())
with open("a", "r+") as f: f.seek(5); f.write("EDITED"); f.seek(0, 2); f.write("end\n")
show("a")
with open("a", "a+") as f: f.write("appended\n"); f.seek(0); print(len(f.read()), f.tell())
with open("b", "wb", buffering=0) as f:
    for i in range(50): f.write(b"%05d " % i)
    f.seek(100); f.write(b"UNBUFFERED"); f.truncate(200); print(f.tell())
show("b")
with open("c", "w+b") as f: f.write(bytes(range(256)) * 300); f.seek(70000); print(f.read(4)); f.seek(-4, 1); f.write(b"mark"); f.seek(0); print(len(f.read()))
with open("d", "w", newline="\r\n", encoding="utf-16") as f: f.write("line\nß\n")
show("d")
try: open("a", "x")
except FileExistsError as e: print(e.errno)
with open("x", "xb") as f: print(f.readable(), f.writable(), f.seekable())
try: open("x", "rb").write(b"")
except OSError as e: print(type(e).__name__)
fd = os.open("w", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640); os.write(fd, marker.encode())
try: os.read(fd, 10)
except OSError as e: print("read", e.errno)
os.close(fd)
fd = os.open("w", os.O_RDONLY)
try: os.write(fd, b"x")
except OSError as e: print("write", e.errno)
try: os.ftruncate(fd, 1)
except OSError as e: print("ftruncate", e.errno)
fd = os.open("w", os.O_RDWR | os.O_TRUNC); print(os.fstat(fd).st_size, os.pread(fd, 10, 0)); os.close(fd)
for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
    try: os.open("missing", flags)
    except OSError as e: print(e.errno, end=" ")
    try: os.open(".", flags); print("ok", end=" ")
    except OSError as e: print(e.errno, end=" ")
    try: os.open("a/b", flags)
    except OSError as e: print(e.errno, end=" ")
try: os.open("a", os.O_DIRECTORY)
except OSError as e: print(e.errno)
os.symlink("a", "link")
try: os.open("link", os.O_NOFOLLOW)
except OSError as e: print(e.errno)
fd = os.open("a", os.O_PATH); print(os.fstat(fd).st_size, len(open(f"/proc/self/fd/{fd}").read()))
try: os.read(fd, 1)
except OSError as e: print(e.errno)
folder = os.open(".", os.O_RDONLY); print(os.stat("a", dir_fd=folder).st_size, os.open("a", os.O_RDONLY, dir_fd=folder) > 0)
PYTHON
}

case_two_views() {
    python3 - <<'PYTHON'
import os
w = open("a", "wb", buffering=0); r = open("a", "rb", buffering=0); d = os.dup(w.fileno())
for i in range(300):
    data = os.environ["MARKER"].encode() + b" %d\n" % i
    (w.write(data) if i % 2 else os.write(d, data))
    if r.read(4096) != data: print("stale at", i)
print(os.lseek(d, 0, 1) == w.tell() == os.fstat(r.fileno()).st_size)
w.seek(10); os.write(d, b"OVER"); r.seek(8); print(r.read(8)); os.truncate("a", 12); print(r.read(), w.tell(), os.stat("a").st_size)
w.write(b"hole?"); r.seek(0); print(r.read())
os.rename("a", "b"); w.write(b" renamed"); print(open("b", "rb").read()[-8:]); os.unlink("b"); w.write(b" unlinked"); r.seek(-9, 2); print(r.read(), os.fstat(d).st_nlink)
PYTHON
}

case_random_access() {
    python3 - <<'PYTHON'
import os, random, hashlib
for size in (3000, 20000, 600000):
    choice, model = random.Random(size), bytearray()
    fd = os.open(f"f{size}", os.O_RDWR | os.O_CREAT)
    for step in range(1500):
        at, length, kind = choice.randrange(size), choice.choice((1, 7, 300, 4096, 20000)), choice.randrange(12)
        if kind < 5:
            data = choice.randbytes(length) if kind < 2 else bytes([65 + step % 26]) * length
            if at > len(model): model.extend(bytes(at - len(model)))
            model[at:at + length] = data; os.pwrite(fd, data, at)
        elif kind < 10:
            if os.pread(fd, length, at) != model[at:at + length]: print("wrong bytes", size, step, at, length)
        elif kind == 10 and step % 5 == 0:
            if at < len(model): del model[at:]
            else: model.extend(bytes(at - len(model)))
            os.ftruncate(fd, at)
        elif os.fstat(fd).st_size != len(model): print("wrong size", size, step)
    os.close(fd)
    print(size, hashlib.sha256(open(f"f{size}", "rb").read()).digest() == hashlib.sha256(model).digest())
PYTHON
}

case_tempfile_and_shutil() {
    python3 - <<'PYTHON'
import os, shutil, tempfile, pathlib, filecmp
marker, inputs = os.environ["MARKER"].encode(), os.environ["INPUTS"]
with tempfile.TemporaryFile(dir=".") as f: f.write(marker * 1000); f.seek(0); print(len(f.read()), os.listdir("."))
with tempfile.NamedTemporaryFile(dir=".") as f: f.write(marker); f.flush(); print(open(f.name, "rb").read() == marker)
with tempfile.SpooledTemporaryFile(max_size=10, dir=".") as f: f.write(marker * 10); f.seek(0); print(f.read(5))
with tempfile.TemporaryDirectory(dir=".") as d: pathlib.Path(d, "x").write_bytes(marker); print(os.listdir(d))
fd, name = tempfile.mkstemp(dir="."); os.write(fd, marker); os.close(fd); os.replace(name, "kept"); print(oct(os.stat("kept").st_mode))
shutil.copytree(inputs + "/small", "tree"); shutil.copyfile(inputs + "/text.txt", "text"); shutil.copy2(inputs + "/text.txt", "text2"); shutil.copymode("kept", "text")
print(filecmp.cmp("text", "text2", shallow=False), filecmp.dircmp("tree", inputs + "/small").diff_files, os.stat("text2").st_mtime_ns)
shutil.move("tree", "moved"); shutil.move("text", os.environ["OUTSIDE"] + "/text"); shutil.move(os.environ["OUTSIDE"] + "/text", "text")
for kind in ("zip", "gztar", "tar"): shutil.make_archive("archive", kind, "moved"); 
shutil.unpack_archive("archive.zip", "z"); shutil.unpack_archive("archive.tar", "t"); print(filecmp.dircmp("z", "t").left_only, len(os.listdir("z")))
shutil.rmtree("moved"); shutil.rmtree("z")
p = pathlib.Path("p"); p.write_text("path"); p.rename("q"); pathlib.Path("q").hardlink_to if 0 else None; print(sorted(map(str, pathlib.Path(".").glob("*"))), pathlib.Path("q").stat().st_size)
PYTHON
    volatile 'case_tempfile_and_shutil/archive*'
}

case_zipfile_and_pickles() {
    python3 - <<'PYTHON'
import os, zipfile, gzip, bz2, lzma, pickle, json, csv, configparser, io, tarfile
marker, text = os.environ["MARKER"], open(os.environ["INPUTS"] + "/text.txt").read()
with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr(zipfile.ZipInfo("one"), text); z.writestr(zipfile.ZipInfo("two"), marker)
with zipfile.ZipFile("a.zip", "a") as z: z.writestr(zipfile.ZipInfo("three"), marker * 100)
with zipfile.ZipFile("a.zip") as z: print(z.testzip(), z.namelist(), z.read("one").decode() == text)
for module, name in ((bz2, "a.bz2"), (lzma, "a.xz")):
    with module.open(name, "wt") as f: f.write(text)
    print(module.open(name, "rt").read() == text)
with gzip.GzipFile("a.gz", "wb", mtime=0) as f: f.write(text.encode())
with gzip.open("a.gz") as f: f.seek(300000); print(f.read(6))
pickle.dump({"marker": marker, "list": list(range(10000))}, open("a.pickle", "wb")); print(len(pickle.load(open("a.pickle", "rb"))["list"]))
json.dump([marker] * 500, open("a.json", "w")); print(len(json.load(open("a.json"))))
csv.writer(open("a.csv", "w", newline="")).writerows([i, marker] for i in range(500)); print(sum(1 for _ in csv.reader(open("a.csv"))))
import xml.etree.ElementTree as tree; tree.ElementTree(tree.fromstring(f"<a><b>{marker}</b></a>")).write("a.xml"); print(tree.parse("a.xml").find("b").text == marker)
PYTHON
}

case_modules_in_the_volume() {
    mkdir package
    echo "from .part import value" >package/__init__.py; echo "value = '$MARKER'" >package/part.py
    python3 -c 'import os, sys; sys.path.insert(0, "."); import package; print(package.value == os.environ["MARKER"], package.__file__.split("/")[-1])'
    PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX= python3 -c 'import sys; sys.path.insert(0, "."); import package; print(package.__cached__[-30:])'; ls package/__pycache__
    python3 -m compileall -q --invalidation-mode checked-hash package; python3 -c 'import sys; sys.path.insert(0, "."); import package; print(package.value[:6])'
    echo 'print("a script")' >script.py; python3 script.py; python3 -m zipapp package -o app.pyz -m part:value 2>/dev/null || :; python3 <script.py
    volatile '*.pyc' '*.pyz'
}
