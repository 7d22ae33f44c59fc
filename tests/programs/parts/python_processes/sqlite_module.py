import os
import sqlite3
import threading

marker = os.environ["MARKER"]
db = sqlite3.connect("app.db")
db.execute("create table t (id integer primary key, body)")
with db:
    db.executemany("insert into t (body) values (?)", ((f"{marker} {i}",) for i in range(5000)))
try:
    with db:
        db.execute("delete from t")
        raise KeyError
except KeyError:
    print(db.execute("select count(*) from t").fetchone())


def writer(n):
    own = sqlite3.connect("app.db", timeout=60, isolation_level=None)
    for i in range(15):
        own.execute("begin immediate")
        own.execute("insert into t (body) values (?)", (n,))
        own.execute("commit")


threads = [threading.Thread(target=writer, args=(n,)) for n in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
if os.fork() == 0:
    writer(9)
    os._exit(0)
os.wait()
print(
    db.execute("select body, count(*) from t where typeof(body) = 'integer' group by body").fetchall(),
    db.execute("pragma integrity_check").fetchone(),
)
copy = sqlite3.connect("copy.db")
db.backup(copy)
print(copy.execute("select count(*) from t").fetchone())
db.execute("vacuum")
print(sqlite3.connect("file:app.db?mode=ro", uri=True).execute("select max(id) from t").fetchone())
