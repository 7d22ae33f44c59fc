# about: sqlite3 in rollback mode, one process and several, vacuum, backup, crash of a writer
# needs: sqlite3

case_one_process() {
    sqlite3 app.db "create table t (id integer primary key, name text, body blob);
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
        insert into t select i, '$MARKER ' || i, zeroblob(i % 500) from n;
        create index by_name on t (name);"
    sqlite3 app.db "update t set name = name || '!' where id % 3 = 0;
        delete from t where id % 7 = 0;
        select count(*), sum(length(body)) from t;
        pragma integrity_check"
    ls
    sqlite3 app.db 'vacuum; pragma integrity_check; select count(*) from t'
    sqlite3 app.db '.backup copy.db'; sqlite3 copy.db 'select count(*) from t'
    sqlite3 app.db .dump >dump.sql; sqlite3 again.db <dump.sql; sqlite3 again.db 'select max(name) from t'
    sqlite3 app.db .dump | checksum
    checksum app.db
}

case_journal_modes() {
    for mode in delete truncate persist memory off; do
        sqlite3 $mode.db "pragma journal_mode = $mode;
            create table t (a);
            insert into t values ('$MARKER'), (2);
            begin;
            insert into t values (3);
            rollback;
            select count(*) from t"
    done
    for size in 512 4096 65536; do
        sqlite3 page$size.db "pragma page_size = $size;
            pragma auto_vacuum = 1;
            create table t (a);
            insert into t select randomblob(300) from generate_series(1, 400);
            delete from t where rowid % 2;
            select count(*) from t;
            pragma integrity_check"
    done
    ls; volatile 'case_journal_modes/page*.db' 'case_journal_modes/persist.db-journal' 'case_journal_modes/off.db'
}

case_two_writers() {
    sqlite3 app.db 'create table t (who, n, body)'
    for who in 1 2 3; do
        {
            echo '.timeout 20000'
            for n in $(seq 40); do echo "insert into t values ($who, $n, '$MARKER');"; done
        } | sqlite3 app.db &
    done
    for i in 1 2 3 4 5; do sqlite3 -cmd '.timeout 20000' app.db 'pragma quick_check' >>checks; done
    wait
    sort -u checks
    sqlite3 app.db 'select who, count(*), sum(n) from t group by who; pragma integrity_check'
    volatile 'case_two_writers/app.db'
}

case_locks() {
    sqlite3 app.db 'create table t (a)'
    mkfifo go
    (echo 'begin exclusive; insert into t values (1);'; read -r _ <go; echo 'commit;') | sqlite3 app.db &
    sleep 0.5
    status sqlite3 app.db 'select count(*) from t' 2>&1
    echo >go; wait
    sqlite3 app.db 'select count(*) from t'
    rm go
}

case_killed_writer() {
    sqlite3 app.db "create table t (a); insert into t values ('$MARKER')"
    # Killed with a small cache and an open transaction: the journal is hot, the next reader has to roll back.
    mkfifo feed
    sqlite3 app.db <feed &
    exec 3>feed
    echo 'pragma cache_size = 5; begin; insert into t select zeroblob(900) from generate_series(1, 500);' >&3
    for i in $(seq 100); do [ "$(stat -c %s app.db)" -gt 100000 ] && break; sleep 0.05; done
    { kill -9 $!; wait $!; } 2>/dev/null || echo "killed"
    exec 3>&-; rm feed
    ls
    sqlite3 app.db 'select count(*) from t; pragma integrity_check'
    ls
}

case_temporary_files() {
    sqlite3 app.db "pragma temp_store = file;
        pragma cache_size = 10;
        create table t (a);
        insert into t select '$MARKER' || value from generate_series(1, 20000);
        select a from t order by a desc limit 1;
        create temp table u as select * from t;
        select count(*) from u;
        attach 'other.db' as o;
        create table o.v as select * from t limit 100"
    ls
    sqlite3 -csv app.db 'select a from t limit 200' >a.csv
    printf '.mode csv\n.import a.csv imported\n' | sqlite3 app.db
    sqlite3 app.db 'select count(*) from imported'
}
