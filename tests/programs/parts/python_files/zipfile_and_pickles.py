import xml.etree.ElementTree as tree
import os
import zipfile
import gzip
import bz2
import lzma
import pickle
import json
import csv
import configparser
import io
import tarfile

marker, text = os.environ["MARKER"], open(os.environ["INPUTS"] + "/text.txt").read()
with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(zipfile.ZipInfo("one"), text)
    z.writestr(zipfile.ZipInfo("two"), marker)
with zipfile.ZipFile("a.zip", "a") as z:
    z.writestr(zipfile.ZipInfo("three"), marker * 100)
with zipfile.ZipFile("a.zip") as z:
    print(z.testzip(), z.namelist(), z.read("one").decode() == text)
for module, name in ((bz2, "a.bz2"), (lzma, "a.xz")):
    with module.open(name, "wt") as f:
        f.write(text)
    print(module.open(name, "rt").read() == text)
with gzip.GzipFile("a.gz", "wb", mtime=0) as f:
    f.write(text.encode())
with gzip.open("a.gz") as f:
    f.seek(300000)
    print(f.read(6))
pickle.dump({"marker": marker, "list": list(range(10000))}, open("a.pickle", "wb"))
print(len(pickle.load(open("a.pickle", "rb"))["list"]))
json.dump([marker] * 500, open("a.json", "w"))
print(len(json.load(open("a.json"))))
csv.writer(open("a.csv", "w", newline="")).writerows([i, marker] for i in range(500))
print(sum(1 for _ in csv.reader(open("a.csv"))))
tree.ElementTree(tree.fromstring(f"<a><b>{marker}</b></a>")).write("a.xml")
print(tree.parse("a.xml").find("b").text == marker)
