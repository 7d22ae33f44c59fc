# about: SQLite: several processes under load and kill -9, rollback and WAL journals, with and without mapping; nothing acknowledged lost, integrity
# packages: sqlite3
# limit: 600

version() { /usr/bin/python3 -c 'import sqlite3; print(sqlite3.sqlite_version)'; }

prepare() {
    cat >job.py <<'TEXT'
import os, signal, sqlite3, subprocess, sys, time

def result(name, outcome): print(f"RESULT\t{name}\t{outcome}", flush=True)

MODES = {"delete": ["journal_mode=delete"], "truncate": ["journal_mode=truncate"], "persist": ["journal_mode=persist"],
         "wal": ["journal_mode=wal"], "wal, mapped": ["journal_mode=wal", "mmap_size=50000000"], "delete, mapped": ["journal_mode=delete", "mmap_size=50000000"],
         "wal, small checkpoints": ["journal_mode=wal", "wal_autocheckpoint=20"], "wal, exclusive": ["locking_mode=exclusive", "journal_mode=wal"],
         "delete, full sync, small pages": ["page_size=512", "journal_mode=delete", "synchronous=full", "cache_size=10"]}

def connect(mode):
    c = sqlite3.connect(name(mode), timeout=60, isolation_level=None)
    for p in MODES[mode]: c.execute("pragma " + p)
    if "synchronous=full" not in MODES[mode]: c.execute("pragma synchronous=normal")
    return c

def name(mode): return "".join(x for x in mode if x.isalnum()) + ".db"

def writer(mode, who, count):
    c = connect(mode)
    n = c.execute("select coalesce(max(n), 0) from t where who = ?", (who,)).fetchone()[0]
    end = n + count
    while n < end:
        try:
            c.execute("begin immediate")
            for i in range(5):
                c.execute("insert into t values (?, ?, ?)", (who, n + 1 + i, b"x" * (n * 37 % 3000)))
            c.execute("update total set n = n + 5")
            if n % 3 == 0: c.execute("update total set n = n - ?", (c.execute("delete from t where who = ? and n = ?", (who, n - 100)).rowcount,))
            c.execute("commit")
        except sqlite3.OperationalError as e:
            if "locked" not in str(e): raise
            if c.in_transaction: c.execute("rollback")
            continue
        n += 5
        print(n, flush=True)

def start(mode, who, count): return subprocess.Popen([sys.executable, __file__, mode, str(who), str(count)], stdout=subprocess.PIPE)

def check(mode):
    c = connect(mode)
    integrity = c.execute("pragma integrity_check").fetchone()[0]
    rows, total = c.execute("select count(*) from t").fetchone()[0], c.execute("select n from total").fetchone()[0]
    last = dict(c.execute("select who, max(n) from t group by who"))
    bad = c.execute("select count(*) from t where body <> zeroblob(0) and cast(body as text) glob '*[^x]*'").fetchone()[0]
    c.close()
    return integrity, rows == total, bad, last

def main():
    for mode in MODES:
        c = connect(mode)
        c.execute("create table t (who int, n int, body blob, primary key (who, n))"); c.execute("create table total (n int)"); c.execute("insert into total values (0)")
        c.close()
        alone = "exclusive" in mode
        jobs = [start(mode, who, 300) for who in range(1 if alone else 3)]
        ends = [(j.communicate()[0].split() or [b"none"])[-1].decode() for j in jobs]
        result(f"{mode}: writers", f"{ends} {check(mode)[:3]}")
        for round in range(3):
            jobs = [start(mode, who, 10**6) for who in range(1 if alone else 3)]
            # One commit has been told of, before the kill.
            jobs[0].stdout.readline()
            time.sleep(0.5)
            for j in jobs: j.kill()
            told = [int((j.stdout.read().split() or [b"0"])[-1]) for j in jobs]
            for j in jobs: j.wait()
            integrity, counted, bad, last = check(mode)
            result(f"{mode}: kill {round}", f"{integrity} {counted} {bad} {all(last[w] >= t for w, t in enumerate(told))}")
        c = connect(mode); c.execute("vacuum into 'copy.db'"); c.close()
        c = sqlite3.connect("copy.db"); result(f"{mode}: vacuum into", c.execute("pragma integrity_check").fetchone()[0]); c.close(); os.remove("copy.db")

if len(sys.argv) > 1: writer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
else: main()
TEXT
}

suite() {
    /usr/bin/python3 "$SCRATCH/job.py"
}
