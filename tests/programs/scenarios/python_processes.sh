# about: python3 with several processes and threads: subprocess, fork and append, multiprocessing, sqlite3, dbm, shelve
# needs: python3
# case-limit: 90

case_subprocess() {
    python3 - <<'PYTHON'
import os, subprocess, sys
marker = os.environ["MARKER"]
with open("a", "w") as f: subprocess.run(["echo", "child", marker], stdout=f, check=True); f.write("parent\n")
print(open("a").read())
with open("a") as f: print(f.readline(), end=""); f.seek(0); print(subprocess.run(["cat"], stdin=f, capture_output=True, text=True).stdout)
fd = os.open("b", os.O_RDWR | os.O_CREAT); os.set_inheritable(fd, True)
subprocess.run([sys.executable, "-c", f"import os; os.write({fd}, b'inherited {marker}')"], close_fds=False, check=True); os.write(fd, b" and on"); print(os.pread(fd, 200, 0))
subprocess.run([sys.executable, "-c", f"import os; print(os.pread({fd}, 9, 0), os.fstat({fd}).st_size)"], pass_fds=[fd], check=True)
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "echo spawned; echo error >&2"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "c", os.O_WRONLY | os.O_CREAT, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]); os.waitpid(pid, 0); print(open("c").read(), oct(os.stat("c").st_mode))
print(os.system("echo by system >>c"), os.popen("cat c").read()); p = subprocess.Popen("sort -o d", shell=True, stdin=subprocess.PIPE, text=True); p.communicate("".join(f"{i} {marker}\n" for i in range(3000, 0, -1))); print(os.path.getsize("d"), p.returncode)
env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}; print(subprocess.run(["cat", "c"], env={}, capture_output=True).stdout, subprocess.run(["cat", "c"], env=env, capture_output=True).stdout)
PYTHON
    checksum a b c d
}

case_append_after_fork() {
    python3 - <<'PYTHON'
import os
marker = os.environ["MARKER"]
shared = os.open("shared", os.O_WRONLY | os.O_CREAT)                     # one description, one offset
for writer in range(6):
    if os.fork() == 0:
        own = os.open("appended", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for i in range(150):
            line = f"{writer} {i:03d} {marker} {'=' * (i % 70)}\n".encode()
            os.write(shared, line); os.write(own, line)
        os._exit(0)
for _ in range(6): os.wait()
for name in ("shared", "appended"): print(name, len(set(open(name))), os.path.getsize(name))
print(os.lseek(shared, 0, 1) == os.path.getsize("shared"), sorted(open("shared")) == sorted(open("appended")))
PYTHON
    sort shared | checksum; sort appended | checksum; volatile 'case_append_after_fork/*'
}

case_multiprocessing() {
    cat >work.py <<'PYTHON'
import multiprocessing, os, threading
def job(n):
    name = f"f{n % 5}"
    with open(name, "r+b") as f:
        f.seek(n * 1000); f.write(b"%06d" % n * 166 + b"\n\n\n\n"); f.seek(0); return len(f.read()) > 0
def seen(n): return open(f"f{n % 5}", "rb").read()[n * 1000:n * 1000 + 6] == b"%06d" % n
if __name__ == "__main__":
    for n in range(5): open(f"f{n}", "wb").truncate(100000)
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(3) as pool: print(method, all(pool.map(job, range(90))), all(pool.map(seen, range(90))), flush=True)
    wrong = []
    def hammer(n):
        for i in range(40):
            with open(f"t{n}", "ab") as f: f.write(b"x" * (i * n))
            if os.path.getsize(f"t{n}") != sum(j * n for j in range(i + 1)): wrong.append((n, i))
    threads = [threading.Thread(target=hammer, args=(n,)) for n in range(1, 7)]
    [t.start() for t in threads]; [t.join() for t in threads]; print(wrong)
PYTHON
    python3 work.py; checksum f? t?
}

case_sqlite_module() {
    python3 - <<'PYTHON'
import os, sqlite3, threading
marker = os.environ["MARKER"]
db = sqlite3.connect("app.db"); db.execute("create table t (id integer primary key, body)")
with db: db.executemany("insert into t (body) values (?)", ((f"{marker} {i}",) for i in range(5000)))
try:
    with db: db.execute("delete from t"); raise KeyError
except KeyError: print(db.execute("select count(*) from t").fetchone())
def writer(n):
    own = sqlite3.connect("app.db", timeout=60, isolation_level=None)
    for i in range(15): own.execute("begin immediate"); own.execute("insert into t (body) values (?)", (n,)); own.execute("commit")
threads = [threading.Thread(target=writer, args=(n,)) for n in range(3)]; [t.start() for t in threads]; [t.join() for t in threads]
if os.fork() == 0: writer(9); os._exit(0)
os.wait(); print(db.execute("select body, count(*) from t where typeof(body) = 'integer' group by body").fetchall(), db.execute("pragma integrity_check").fetchone())
copy = sqlite3.connect("copy.db"); db.backup(copy); print(copy.execute("select count(*) from t").fetchone()); db.execute("vacuum"); print(sqlite3.connect("file:app.db?mode=ro", uri=True).execute("select max(id) from t").fetchone())
PYTHON
    ls; volatile 'case_sqlite_module/*.db'
}

case_dbm_and_shelve() {
    python3 - <<'PYTHON'
import dbm.dumb, os, shelve
marker = os.environ["MARKER"]
with dbm.dumb.open("dumb", "c") as d:
    for i in range(200): d[f"key{i}"] = f"{marker} {i}"
    del d["key7"]
with dbm.dumb.open("dumb") as d: print(len(d), d["key8"] == f"{marker} 8".encode())
with shelve.Shelf(dbm.dumb.open("shelf", "c")) as s: s["list"] = [marker] * 300; s["dict"] = {"a": 1}
with shelve.Shelf(dbm.dumb.open("shelf")) as s: print(sorted(s), len(s["list"]))
try: import dbm.gnu as engine
except ImportError:
    try: import dbm.ndbm as engine
    except ImportError: engine = None
if engine:
    with engine.open("other", "c") as d:
        for i in range(500): d[f"key{i}"] = marker * 3
    with engine.open("other") as d: print(len(list(d.keys())), d["key499"] == (marker * 3).encode())
PYTHON
    ls | wc -l; volatile 'case_dbm_and_shelve/other*' 'case_dbm_and_shelve/*.dat' 'case_dbm_and_shelve/*.dir'
}

case_passed_descriptors() {
    python3 - <<'PYTHON'
import array, os, socket
left, right = socket.socketpair()
if os.fork() == 0:
    fd = os.open("a", os.O_RDWR | os.O_CREAT); os.write(fd, os.environ["MARKER"].encode()); socket.send_fds(left, [b"x"], [fd]); os._exit(0)
_, (fd, *_), _, _ = socket.recv_fds(right, 10, 1); os.wait()
os.write(fd, b" from the receiver"); print(os.pread(fd, 200, 0)[-12:], os.fstat(fd).st_size == len(open("a").read())); os.close(fd)
pipe = os.open("a", os.O_RDONLY); os.set_inheritable(pipe, True); os.execv("/bin/cat", ["cat", f"/dev/fd/{pipe}"])
PYTHON
}

case_exec_and_root_changes() {
    echo "kept $MARKER" >a
    python3 -c '
import os
fd = os.open("a", os.O_RDONLY); os.set_inheritable(fd, True); os.dup2(fd, 0)
os.execve("/bin/cat", ["cat"], {})'
    if [ "$(id -u)" = 0 ]; then
        python3 -c '
import os
f = open("a"); os.chroot("."); os.chdir("/"); print(f.read(), os.listdir("/")); open("/b", "w").write("in the new root " + os.environ["MARKER"]); print(open("/b").read())'
        python3 -c '
import os
os.chmod(".", 0o777); os.chmod("a", 0o666); os.setgroups([]); os.setgid(65534); os.setuid(65534); print(open("a").read()); open("a", "a").write("dropped\n"); open("c", "w").write("new " + os.environ["MARKER"]); print(open("c").read(), os.stat("c").st_uid)' 2>&1 | sed 's/.*Error/Error/'
    fi
}
