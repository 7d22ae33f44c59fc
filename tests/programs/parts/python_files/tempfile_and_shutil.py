import os
import shutil
import tempfile
import pathlib
import filecmp

marker, inputs = os.environ["MARKER"].encode(), os.environ["INPUTS"]
with tempfile.TemporaryFile(dir=".") as f:
    f.write(marker * 1000)
    f.seek(0)
    print(len(f.read()), os.listdir("."))
with tempfile.NamedTemporaryFile(dir=".") as f:
    f.write(marker)
    f.flush()
    print(open(f.name, "rb").read() == marker)
with tempfile.SpooledTemporaryFile(max_size=10, dir=".") as f:
    f.write(marker * 10)
    f.seek(0)
    print(f.read(5))
with tempfile.TemporaryDirectory(dir=".") as d:
    pathlib.Path(d, "x").write_bytes(marker)
    print(os.listdir(d))
fd, name = tempfile.mkstemp(dir=".")
os.write(fd, marker)
os.close(fd)
os.replace(name, "kept")
print(oct(os.stat("kept").st_mode))
shutil.copytree(inputs + "/small", "tree")
shutil.copyfile(inputs + "/text.txt", "text")
shutil.copy2(inputs + "/text.txt", "text2")
shutil.copymode("kept", "text")
print(
    filecmp.cmp("text", "text2", shallow=False),
    filecmp.dircmp("tree", inputs + "/small").diff_files,
    os.stat("text2").st_mtime_ns,
)
shutil.move("tree", "moved")
shutil.move("text", os.environ["OUTSIDE"] + "/text")
shutil.move(os.environ["OUTSIDE"] + "/text", "text")
for kind in ("zip", "gztar", "tar"):
    shutil.make_archive("archive", kind, "moved")
shutil.unpack_archive("archive.zip", "z")
shutil.unpack_archive("archive.tar", "t")
print(filecmp.dircmp("z", "t").left_only, len(os.listdir("z")))
shutil.rmtree("moved")
shutil.rmtree("z")
p = pathlib.Path("p")
p.write_text("path")
p.rename("q")
pathlib.Path("q").hardlink_to if 0 else None
print(sorted(map(str, pathlib.Path(".").glob("*"))), pathlib.Path("q").stat().st_size)
