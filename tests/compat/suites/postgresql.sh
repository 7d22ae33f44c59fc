# about: PostgreSQL 15: initdb, pgbench, kill -9 of the whole server under load with recovery and checks, checksums, dump and restore, base backup
# packages: postgresql-15 postgresql-client-15
# limit: 900

bin=/usr/lib/postgresql/15/bin

version() { $bin/postgres --version | sed 's/.*) \([0-9.]*\).*/\1/'; }

as_postgres() { as_user postgres "$@"; }
sql() { as_postgres $bin/psql -h "$PWD" -XAtq -v ON_ERROR_STOP=1 -d "${database:-postgres}" "$@"; }
bench() { as_postgres $bin/pgbench -h "$PWD" "$@" postgres; }

start() { # start DATA OPTION...
    local data=$1
    shift
    as_postgres $bin/postgres -D "$data" -k "$PWD" -c listen_addresses= -c shared_buffers=32MB "$@" >>server.log 2>&1 &
    server=$!
    wait_until 120 sql -c 'select 1'
}
stop() { # stop DATA
    kill -INT "$(head -n 1 "$1/postmaster.pid")"
    wait $server
}

# The postmaster and all its children at once: as a machine that kills a container would.
kill_server() {
    local postmaster
    postmaster=$(head -n 1 "$1/postmaster.pid")
    # shellcheck disable=SC2046
    kill -9 "$postmaster" $(cat "/proc/$postmaster/task/$postmaster/children")
    wait $server 2>/dev/null
    wait_until 20 gone "$postmaster"
}

# pgbench's invariant: all balances are the sum of the history's deltas.
consistent() {
    sql -c 'select (select sum(abalance) from pgbench_accounts) = h and (select sum(bbalance) from pgbench_branches) = h
        and (select sum(tbalance) from pgbench_tellers) = h from (select coalesce(sum(delta), 0) h from pgbench_history) x'
}

survives() { # survives NAME POSTGRES-OPTION...: three kills under load
    local name=$1 round
    shift
    for round in 1 2 3; do
        start data "$@"
        bench -n -c 4 -j 2 -T 60 >&2 &
        client=$!
        sleep 3
        kill_server data # the client ends by itself then
        kill $client 2>/dev/null; wait $client 2>/dev/null
        start data "$@"
        check "$name, kill $round: recovers" sql -c 'select 1'
        value "$name, kill $round: consistent" consistent
        value "$name, kill $round: indexes" as_postgres $bin/pg_amcheck -h "$PWD" --install-missing --heapallindexed postgres
        stop data
        check "$name, kill $round: checksums" as_postgres $bin/pg_checksums --check -D data
    done
}

acknowledged() { # what a client was told is committed is there after a kill
    start data
    sql -c 'create table if not exists told (n int primary key)' -c 'truncate told'
    : >"$SCRATCH/told"
    seq 100000 | sed 's/.*/insert into told values (&); select &;/' | sql >"$SCRATCH/told" 2>/dev/null &
    client=$!
    sleep 3
    kill_server data
    wait $client 2>/dev/null
    start data
    [ "$(sql -c 'select count(*) from told')" -ge "$(tail -n 1 "$SCRATCH/told")" ]
    check "acknowledged commits are there after a kill" test $? = 0
    stop data
}

suite() {
    export LANG=C LC_ALL=C
    mkdir job
    own postgres job
    cd job
    check "initdb" as_postgres $bin/initdb -D data -A trust --data-checksums --no-locale -E UTF8 || return
    start data
    check "pgbench -i" bench -i -q -s 3 2>&1
    check "pgbench simple" bench -n -c 4 -t 200
    check "pgbench prepared" bench -n -M prepared -c 4 -t 200
    check "pgbench select" bench -n -S -c 4 -t 2000
    value "consistent" consistent
    value "history" sql -c 'select count(*) from pgbench_history'
    check "vacuum full" sql -c 'vacuum full analyze'
    check "reindex and cluster" sql -c 'reindex database postgres' -c 'cluster pgbench_accounts using pgbench_accounts_pkey'
    check "tablespace" tablespace
    check "large copy out and in" copies
    check "dump" as_postgres $bin/pg_dump -h "$PWD" -Fd -j 2 -f dump postgres
    sql -c 'create database again'
    check "restore" as_postgres $bin/pg_restore -h "$PWD" -j 2 -d again dump
    value "restored rows" restored
    check "base backup" as_postgres $bin/pg_basebackup -h "$PWD" -D backup -X stream -c fast
    check "base backup verified" as_postgres $bin/pg_verifybackup backup
    stop data
    check "checksums" as_postgres $bin/pg_checksums --check -D data
    start backup
    value "base backup starts" consistent
    stop backup
    survives "default"
    survives "open_datasync" -c wal_sync_method=open_datasync -c wal_init_zero=off
    survives "small WAL" -c max_wal_size=32MB -c checkpoint_timeout=30s -c wal_recycle=off
    acknowledged
}

tablespace() {
    mkdir space && own postgres space &&
        sql -c "create tablespace other location '$PWD/space'" -c 'create table elsewhere tablespace other as select * from pgbench_accounts' \
            -c 'select count(*) from elsewhere' -c 'alter table elsewhere set tablespace pg_default' -c 'drop table elsewhere' -c 'drop tablespace other'
}

copies() {
    sql -c "copy pgbench_accounts to '$PWD/accounts.copy'" -c 'create table again (like pgbench_accounts)' \
        -c "copy again from '$PWD/accounts.copy'" -c 'select count(*) from again' -c 'drop table again'
}

restored() { database=again sql -c 'select count(*), sum(abalance) is not null from pgbench_accounts'; }
