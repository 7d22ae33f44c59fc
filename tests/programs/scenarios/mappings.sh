# about: shared and private mappings: python3 mmap, a C program with raw calls, SQLite's WAL mode, LMDB, ld.gold, mold, kills
# needs: python3 sqlite3 cc
# case-limit: 120
# limit: 480

case_one_process() { python3 "$PARTS/mappings/one_process.py"; }

case_sizes() { python3 "$PARTS/mappings/sizes.py"; }

case_two_processes() { python3 "$PARTS/mappings/two_processes.py"; }

case_calls() {
    cc -O1 -o "$OUTSIDE/calls" "$PARTS/mappings/calls.c"
    "$OUTSIDE/calls"
    checksum pages
    rm "$OUTSIDE/calls"
}

case_random() {
    for seed in 1 2 3 4; do python3 "$PARTS/mappings/random_steps.py" $seed 250 >"$OUTSIDE/out$seed" & done
    wait
    cat "$OUTSIDE"/out?
    rm "$OUTSIDE"/out?
    checksum random*
}

case_wal() {
    sqlite3 app.db "pragma page_size = 8192; pragma journal_mode = wal; create table t (who, n, body);"
    for who in 1 2 3; do
        {
            echo '.timeout 20000'
            for n in $(seq 60); do echo "insert into t values ($who, $n, '$MARKER');"; done
            [ $who != 2 ] || echo 'pragma wal_checkpoint;'
        } | sqlite3 app.db | sed 's/[0-9]*|[0-9]*|[0-9]*/checkpoint/' &
    done
    for i in 1 2 3 4 5; do sqlite3 -cmd '.timeout 20000' app.db 'pragma quick_check' >>checks; done
    wait
    sort -u checks
    sqlite3 app.db 'select who, count(*), sum(n) from t group by who; pragma integrity_check; pragma journal_mode'
    ls
    volatile 'case_wal/app.db'
}

# A writer is killed in a transaction, and with a connection open that keeps the log and its index alive.
case_wal_killed() {
    sqlite3 app.db "pragma page_size = 8192; pragma journal_mode = wal; create table t (a); insert into t values ('$MARKER')"
    mkfifo feed
    sqlite3 app.db <feed >killed.out &
    exec 3>feed
    echo "insert into t select '$MARKER' || value from generate_series(1, 500); select 'done';" >&3
    for i in $(seq 200); do grep -q done killed.out && break; sleep 0.05; done
    sqlite3 app.db 'select count(*) from t'
    ls
    echo "begin; insert into t select 'lost' from generate_series(1, 500); select 'open';" >&3
    for i in $(seq 200); do grep -q open killed.out && break; sleep 0.05; done
    { kill -9 $!; wait $!; } 2>/dev/null || echo "killed"
    exec 3>&-; rm feed killed.out
    sqlite3 app.db 'select count(*) from t; pragma integrity_check'
    sqlite3 app.db "insert into t values ('after'); select count(*) from t where a = 'lost'"
    sqlite3 app.db 'pragma mmap_size = 100000000; select count(*), max(length(a)) from t; update t set a = a || 1; pragma wal_checkpoint(truncate)'
    sqlite3 app.db .dump | checksum
    ls
    volatile 'case_wal_killed/app.db'
}

case_lmdb() {
    /usr/bin/python3 -c 'import lmdb' 2>/dev/null || need python3-lmdb
    for mode in write writemap; do
        /usr/bin/python3 "$PARTS/mappings/lmdb_work.py" $mode
        if command -v mdb_stat >/dev/null; then mdb_stat -e $mode | grep -c Entries; mdb_dump $mode | grep -c . ; fi
    done
    volatile 'case_lmdb/*'
}

case_linkers() {
    printf '#include <stdio.h>\nint part(int);\nint main(void) { printf("%%s %%d\\n", "%s", part(20)); return 0; }\n' "$MARKER" >main.c
    echo 'int part(int n) { static int t[5000] = {1, 2, 3}; return n + t[2]; }' >part.c
    gcc -O1 -c main.c part.c
    for linker in bfd gold mold; do
        command -v ld.$linker >/dev/null || continue
        echo $linker
        gcc -fuse-ld=$linker -Wl,--build-id=none -o linked.$linker main.o part.o
        ./linked.$linker # at once, as every build does with what it has just made
        gcc -shared -fPIC -fuse-ld=$linker -Wl,--build-id=none -o linked.$linker.so part.o
        cp linked.$linker "$OUTSIDE/program"; "$OUTSIDE/program"
        checksum linked.$linker linked.$linker.so
        objdump -d linked.$linker | grep -c call
    done
    need ld.gold ld.mold
}
