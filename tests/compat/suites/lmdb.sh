# about: LMDB and LevelDB from Python: several processes, kill -9 of writers, copies, recovery; RocksDB's own tools
# packages: python3-lmdb lmdb-utils python3-plyvel rocksdb-tools
# limit: 300

version() { dpkg-query -W -f '${Package} ${Version}  ' python3-lmdb python3-plyvel rocksdb-tools; }

prepare() {
    cat >lmdb_job.py <<'TEXT'
import hashlib, os, signal, subprocess, sys, time
import lmdb

def result(name, outcome): print(f"RESULT\t{name}\t{outcome}", flush=True)

OPTIONS = {"plain": {}, "writemap": {"writemap": True}, "nosync": {"sync": False}, "async": {"writemap": True, "map_async": True}}

def env(mode): return lmdb.open(mode, map_size=64 << 20, max_dbs=4, **OPTIONS[mode])

def writer(mode, who, stop):
    with env(mode) as e:
        n = 0
        while n < stop:
            with e.begin(write=True) as t:
                for i in range(20):
                    n += 1
                    t.put(f"{who}:{n:06d}".encode(), hashlib.sha256(f"{who}{n}".encode()).digest() * (n % 9 + 1))
                t.put(f"last:{who}".encode(), str(n).encode())
            print(n, flush=True)

def check(mode):
    with env(mode) as e, e.begin() as t:
        bad = 0
        counts = {}
        for key, value in t.cursor():
            who, n = key.decode().split(":")
            if who == "last": continue
            counts[who] = counts.get(who, 0) + 1
            bad += value != hashlib.sha256(f"{who}{int(n)}".encode()).digest() * (int(n) % 9 + 1)
        whole = all(int(t.get(f"last:{who}".encode())) == c for who, c in counts.items())
        return bad, whole, counts

def start(mode, who, stop): return subprocess.Popen([sys.executable, __file__, "write", mode, who, str(stop)], stdout=subprocess.PIPE)

def main():
    for mode in OPTIONS:
        jobs = [start(mode, who, 2000) for who in "ab"]
        ends = [j.communicate()[0].split()[-1] for j in jobs]
        bad, whole, counts = check(mode)
        result(f"lmdb {mode}: two writers", f"{ends} {bad} {whole} {sorted(counts.items())}")
        for round in range(3):
            j = start(mode, f"k{round}", 10**6)
            told = j.stdout.readline()
            time.sleep(0.3)
            j.kill()
            rest = j.stdout.read().split()
            told = int(rest[-1] if rest else told)
            bad, whole, counts = check(mode)
            result(f"lmdb {mode}: killed writer {round}", f"{bad} {whole} {counts[f'k{round}'] >= told}")
        with env(mode) as e:
            os.mkdir(f"{mode}.copy"); e.copy(f"{mode}.copy", compact=True)
        with lmdb.open(f"{mode}.copy", readonly=True) as c, env(mode) as e: result(f"lmdb {mode}: copy", c.stat()["entries"] == e.stat()["entries"])

if len(sys.argv) > 1: writer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else: main()
TEXT
    cat >leveldb_job.py <<'TEXT'
import hashlib, os, subprocess, sys, time
import plyvel

def result(name, outcome): print(f"RESULT\t{name}\t{outcome}", flush=True)
def value(n): return hashlib.sha256(str(n).encode()).digest() * 20

def writer():
    db = plyvel.DB("db", create_if_missing=True, write_buffer_size=1 << 18)
    n = int(db.get(b"last", b"0"))
    while True:
        n += 1
        with db.write_batch(sync=n % 50 == 0) as b: b.put(b"%08d" % n, value(n)); b.put(b"last", b"%d" % n)
        if n % 50 == 0: print(n, flush=True)

def main():
    for round in range(4):
        j = subprocess.Popen([sys.executable, __file__, "w"], stdout=subprocess.PIPE)
        told = j.stdout.readline(); time.sleep(1); j.kill()
        rest = j.stdout.read().split(); told = int(rest[-1] if rest else told)
        db = plyvel.DB("db", paranoid_checks=False)
        last = int(db.get(b"last"))
        bad = sum(v != value(int(k)) for k, v in db if k != b"last")
        count = sum(1 for _ in db) - 1
        result(f"leveldb: killed writer {round}", f"{bad} {count == last} {last >= told}")
        db.compact_range(); snapshot = db.snapshot(); db.put(b"last", b"%d" % last)
        result(f"leveldb: snapshot {round}", sum(1 for _ in snapshot) - 1 == count)
        db.close()
    plyvel.repair_db("db"); db = plyvel.DB("db"); result("leveldb: repaired", db.get(b"last") is not None); db.close()
    plyvel.destroy_db("db"); result("leveldb: destroyed", os.path.exists("db"))

writer() if len(sys.argv) > 1 else main()
TEXT
}

suite() {
    /usr/bin/python3 "$SCRATCH/lmdb_job.py"
    check "mdb_stat" mdb_stat -e plain.copy
    check "mdb_copy" bash -c 'mkdir again; mdb_copy -c plain again'
    check "mdb_load" bash -c 'mkdir loaded; mdb_dump plain.copy | mdb_load loaded; mdb_stat loaded | grep Entries'
    /usr/bin/python3 "$SCRATCH/leveldb_job.py"
    rocks
}

rocks() {
    command -v ldb >/dev/null || { result rocksdb "skip no ldb"; return; }
    check "rocksdb: load" bash -c 'seq 20000 | awk "{ print \$1 \" ==> value-\" \$1 }" | ldb --db=rocks load --create_if_missing --disable_wal=false'
    value "rocksdb: scan" bash -c 'ldb --db=rocks scan | sha256sum'
    check "rocksdb: compact" ldb --db=rocks compact
    value "rocksdb: scan again" bash -c 'ldb --db=rocks scan | sha256sum'
    check "rocksdb: put and delete" bash -c 'ldb --db=rocks put k v && ldb --db=rocks get k && ldb --db=rocks delete k'
    check "rocksdb: verify checksums" bash -c 'sst_dump --file=rocks --command=verify'
    check "rocksdb: checkpoint" ldb --db=rocks checkpoint --checkpoint_dir=rocks.copy
    value "rocksdb: scan checkpoint" bash -c 'ldb --db=rocks.copy scan | sha256sum'
}
