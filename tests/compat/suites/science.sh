# about: HDF5 (h5py, its tools), PyTables, Zarr, pandas, NumPy's mapped arrays, SciPy's files: written, mapped, appended, by several processes, read again
# packages: python3-h5py python3-tables python3-zarr python3-pandas python3-numpy python3-scipy hdf5-tools
# limit: 900

version() { dpkg-query -W -f '${Package} ${Version}, ' python3-h5py python3-tables python3-zarr python3-pandas python3-numpy hdf5-tools | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8
    mkdir temporary
    hierarchical; arrays; frames
}

hierarchical() {
    cat >h.py <<'T'
import sys, h5py, numpy as np
driver = sys.argv[1]; options = {} if driver == "sec2" else {"driver": driver}
with h5py.File(driver + ".h5", "w", libver="latest", **options) as f:
    f["a"] = np.arange(50000).reshape(500, 100); d = f.create_dataset("b", (1000, 1000), chunks=(64, 64), compression="gzip", shuffle=True, fletcher32=True, dtype="f4")
    d[::7] = 3; d[5:900, 333] = np.arange(895); r = f.create_dataset("c", (0,), maxshape=(None,), chunks=(1000,), dtype="i8")
    for i in range(20): r.resize((len(r) + 777,)); r[-777:] = i
    g = f.create_group("g/h"); g.attrs["x"] = "ä"; f["link"] = h5py.SoftLink("/a"); f["e"] = h5py.ExternalLink("other.h5", "/z"); f.create_dataset("s", data=["x" * n for n in range(300)], dtype=h5py.string_dtype())
with h5py.File(driver + ".h5", "r+", **options) as f:
    del f["a"]; f["b"][0, 0] = -1; f.flush(); print(f["b"][:].sum(), f["c"][:].sum(), len(f["s"]), f["s"][77][:3], sorted(f))
T
    local driver
    for driver in sec2 stdio core; do value "h5py $driver" python3 h.py $driver; done
    value "h5 tools" bash -c 'h5dump -H sec2.h5 | sha256sum; h5repack -f GZIP=3 sec2.h5 re.h5; h5diff sec2.h5 re.h5 && echo same; h5ls -r re.h5 | sha256sum; h5copy -i sec2.h5 -o co.h5 -s b -d q; h5stat co.h5 | grep -c .; h5import 2>/dev/null; h5debug sec2.h5 2>/dev/null | grep -c . >/dev/null; h5jam -u h.py -i re.h5 -o ja.h5; h5unjam -i ja.h5 -o un.h5 -u user; cmp user h.py && echo jammed; h5repart -m 500000 sec2.h5 p%d.h5; ls p*.h5 | wc -l; h5clear -s co.h5 2>&1'
    value "h5py: one writer, several readers" bash -c 'python3 -c "
import h5py, numpy as np, subprocess, sys
f = h5py.File(\"sw.h5\", \"w\", libver=\"latest\"); d = f.create_dataset(\"d\", (0,), maxshape=(None,), chunks=(100,), dtype=\"i8\"); f.swmr_mode = True
reader = subprocess.Popen([sys.executable, \"-c\", \"import h5py, time; d = h5py.File(chr(115)+chr(119)+\\\".h5\\\", \\\"r\\\", swmr=True)[\\\"d\\\"]; n = 0\nwhile n < 5000: d.refresh(); n = len(d); assert n == 0 or d[n - 1] == n - 1 or d[n - 1] == 0; time.sleep(0.01)\nprint(d[:].sum())\"])
for i in range(50): d.resize((len(d) + 100,)); d[-100:] = np.arange(i * 100, i * 100 + 100); d.flush()
reader.wait()"'
    value "h5py: locked by another" bash -c 'python3 -c "
import h5py, subprocess, sys
f = h5py.File(\"lk.h5\", \"w\")
print(subprocess.run([sys.executable, \"-c\", \"import h5py; h5py.File(\\\"lk.h5\\\", \\\"a\\\")\"], capture_output=True, text=True).stderr.strip().split(chr(10))[-1][:60])"'
    value "pytables" python3 -c '
import tables as t, numpy as np
class R(t.IsDescription): a = t.Int64Col(); b = t.StringCol(16); c = t.Float64Col()
f = t.open_file("pt.h5", "w", filters=t.Filters(5, "blosc")); x = f.create_table("/", "x", R); r = x.row
for i in range(20000): r["a"] = i; r["b"] = str(i % 99); r["c"] = i / 3; r.append()
x.flush(); x.cols.a.create_csindex(); x.cols.b.create_index(); e = f.create_earray("/", "e", t.Int32Atom(), (0, 10)); [e.append(np.full((100, 10), k)) for k in range(30)]; f.close()
f = t.open_file("pt.h5", "a"); x = f.root.x; print(x.nrows, sum(r["a"] for r in x.where("(a > 500) & (a < 700)")), len([1 for r in x.where("b == b\"7\"")]), x.remove_rows(10, 1000)); f.create_array("/", "y", list(range(99))); print(f.root.e[:].sum()); f.close(); t.copy_file("pt.h5", "pt2.h5", overwrite=True); print(t.is_hdf5_file("pt2.h5"))'
}

arrays() {
    value "zarr" python3 -c '
import zarr, numpy as np, warnings; warnings.simplefilter("ignore")
for name, store in (("d", zarr.DirectoryStore("z.zarr")), ("n", zarr.NestedDirectoryStore("n.zarr")), ("z", zarr.ZipStore("z.zip", mode="w")), ("b", zarr.DBMStore("z.dbm")), ("s", zarr.SQLiteStore("z.sqlite")), ("t", zarr.TempStore(dir="."))):
    g = zarr.group(store, overwrite=True) if name != "z" else zarr.group(store); a = g.create_dataset("a", shape=(300, 300), chunks=(50, 50), dtype="i4"); a[:] = np.arange(90000).reshape(300, 300)
    if name != "z": a[10:20] = 7; a.resize(350, 300); a.append(np.ones((10, 300), "i4")); g.attrs["k"] = 5
    print(name, a[:].sum(), a.nchunks_initialized, a.hexdigest()[:12]); getattr(store, "close", lambda: None)()
s = zarr.ProcessSynchronizer("sync.sync") if False else zarr.ThreadSynchronizer(); z = zarr.open("t.zarr", "w", shape=(1000,), chunks=(10,), synchronizer=s)
import concurrent.futures as c
with c.ThreadPoolExecutor(4) as p: list(p.map(lambda i: z.__setitem__(slice(i, i + 5), i), range(0, 990, 5)))
print(z[:].sum(), zarr.load("z.zarr")["a"][:].sum())'
    value "numpy mapped" python3 -c '
import numpy as np
m = np.memmap("m", "f8", "w+", shape=(300, 1000)); m[:] = np.arange(300000).reshape(300, 1000); m.flush(); del m
a = np.memmap("m", "f8", "r+", offset=8000, shape=(299, 1000)); a[::2] *= 2; a.flush(); c = np.memmap("m", "f8", "c"); c[0] = -1; print(c[0], np.memmap("m", "f8", "r").sum()); del a, c
np.save("n.npy", np.eye(500)); v = np.load("n.npy", mmap_mode="r+"); v[3, 3] = 9; v.flush(); print(np.load("n.npy").sum()); x = np.lib.format.open_memmap("o.npy", "w+", "i4", (1000, 50)); x[-1] = 5; del x; print(np.load("o.npy").sum())
np.savez_compressed("z.npz", a=np.arange(9999), b=np.ones(77)); z = np.load("z.npz"); print(z["a"].sum(), z["b"].sum()); np.arange(10000).tofile("r"); print(np.fromfile("r", "i8", 10, offset=800)); np.savetxt("t.gz", np.eye(20)); print(np.loadtxt("t.gz").sum()); print(np.genfromtxt("t.gz").shape)
with open("r", "r+b") as f: np.zeros(5, "i8").tofile(f); f.seek(0, 2); np.arange(3).tofile(f); f.seek(0); print(np.fromfile(f).size)'
    value "numpy mapped by several processes" python3 -c '
import numpy as np, multiprocessing as mp
np.lib.format.open_memmap("p.npy", "w+", "i8", (4, 50000)).flush()
def work(k):
    v = np.load("p.npy", mmap_mode="r+")
    for i in range(0, 50000, 100): v[k, i:i + 100] = k + 1
    v.flush()
ps = [mp.Process(target=work, args=(k,)) for k in range(4)]; [p.start() for p in ps]; [p.join() for p in ps]; print(np.load("p.npy").sum(axis=1))'
    value "scipy" python3 -c '
import scipy.io as s, numpy as np, scipy.sparse as p
s.savemat("a.mat", {"x": np.eye(100), "s": p.eye(50).tocsc()}, do_compression=True); print(s.loadmat("a.mat")["x"].sum()); f = s.netcdf_file("a.nc", "w"); f.createDimension("t", None); f.createDimension("x", 100); v = f.createVariable("v", "f8", ("t", "x"))
for i in range(50): v[i] = np.full(100, i)
f.close(); f = s.netcdf_file("a.nc", "r", mmap=True); print(f.variables["v"][:].sum()); f = s.netcdf_file("a.nc", "a"); f.variables["v"][50] = np.ones(100); f.close(); print(s.netcdf_file("a.nc", mmap=False).variables["v"].shape); s.mmwrite("m.mtx", p.eye(30)); print(s.mmread("m.mtx").sum()); from scipy.io import wavfile; wavfile.write("w.wav", 8000, np.arange(8000, dtype="i2")); print(wavfile.read("w.wav", mmap=True)[1].sum())'
}

frames() {
    value "pandas" python3 -c '
import pandas as p, numpy as np, sqlite3, warnings; warnings.simplefilter("ignore")
d = p.DataFrame({"a": range(5000), "b": [str(i % 37) for i in range(5000)], "c": np.linspace(0, 1, 5000)})
for ext in ("gz", "bz2", "xz", "zip"): d.to_csv("d.csv." + ext); print(p.read_csv("d.csv." + ext, index_col=0).equals(p.read_csv("d.csv.gz", index_col=0)))
d.to_pickle("d.pkl.gz"); print(p.read_pickle("d.pkl.gz").equals(d)); d.to_hdf("d.h5", "k", format="table", data_columns=["a"]); d.to_hdf("d.h5", "k", append=True, format="table"); print(len(p.read_hdf("d.h5", "k", where="a > 4990"))); d.to_json("d.json"); print(len(p.read_json("d.json")))
c = sqlite3.connect("d.db"); d.to_sql("t", c); print(p.read_sql("select b, sum(a) s from t group by b order by b", c).s.sum()); print(sum(len(x) for x in p.read_csv("d.csv.gz", chunksize=700))); p.read_csv("d.csv.xz", memory_map=False); d.to_csv("d.csv", mode="w"); d.to_csv("d.csv", mode="a", header=False); print(len(p.read_csv("d.csv", memory_map=True))); d.to_stata("d.dta"); print(len(p.read_stata("d.dta"))); s = p.HDFStore("s.h5"); s["x"] = d; s.remove("x"); s["y"] = d; print(s.keys()); s.close()'
}
