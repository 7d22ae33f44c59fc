# about: SQLite: 20,000 rows in one transaction, single inserts, index look-ups and a scan, with a rollback journal and with a write-ahead log
scope=main

measure() {
    settle
    rows sqlite.py "$here/$round.db" delete "$inputs/text"
    settle
    rows sqlite.py "$here/$round-wal.db" wal "$inputs/text"
}
