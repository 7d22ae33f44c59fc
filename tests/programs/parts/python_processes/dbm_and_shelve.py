import dbm.dumb
import os
import shelve

marker = os.environ["MARKER"]
with dbm.dumb.open("dumb", "c") as d:
    for i in range(200):
        d[f"key{i}"] = f"{marker} {i}"
    del d["key7"]
with dbm.dumb.open("dumb") as d:
    print(len(d), d["key8"] == f"{marker} 8".encode())
with shelve.Shelf(dbm.dumb.open("shelf", "c")) as s:
    s["list"] = [marker] * 300
    s["dict"] = {"a": 1}
with shelve.Shelf(dbm.dumb.open("shelf")) as s:
    print(sorted(s), len(s["list"]))
try:
    import dbm.gnu as engine
except ImportError:
    try:
        import dbm.ndbm as engine
    except ImportError:
        engine = None
if engine:
    with engine.open("other", "c") as d:
        for i in range(500):
            d[f"key{i}"] = marker * 3
    with engine.open("other") as d:
        print(len(list(d.keys())), d["key499"] == (marker * 3).encode())
