# about: Redis on a Unix socket with its append-only file and its snapshots: kill -9 under load, restart, the same data set; its checkers
# packages: redis-server redis-tools
# limit: 300

version() { redis-server --version | sed -n 's/.*v=\([^ ]*\).*/\1/p'; }

cli() { redis-cli -s "$PWD/socket" "$@"; }
keys() { cli dbsize | tr -dc 0-9; }

start() { # start OPTION...
    redis-server --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --daemonize no --save '' --logfile server.log "$@" >&2 &
    server=$!
    trap 'kill -9 $server 2>/dev/null' EXIT
    wait_until 30 ready
}
ready() { [ "$(cli ping)" = PONG ]; }
stop() { cli shutdown "${1:-nosave}"; wait $server; }

fill() { # fill PREFIX COUNT: known data of several types
    seq "$2" | awk -v p="$1" '{ print "SET " p ":" $1 " value-" $1 "-" p; print "HSET " p ":h" ($1 % 50) " f" $1 " " $1
        print "RPUSH " p ":l" ($1 % 20) " " $1; print "ZADD " p ":z" ($1 % 10) " " $1 " m" $1 }' | cli --pipe
}

digest() { cli debug digest; }

append_only() { # append_only FSYNC
    start --appendonly yes --appendfsync "$1" --enable-debug-command yes
    check "aof $1: fill" fill a 5000
    digest >../digest.before
    kill_hard $server
    start --appendonly yes --appendfsync "$1" --enable-debug-command yes
    [ "$(digest)" = "$(cat ../digest.before)" ]
    check "aof $1: the same data set after kill -9" test $? = 0
    value "aof $1: keys" keys
    check "aof $1: rewrite" rewrite
    check "aof $1: more" fill b 1000
    digest >../digest.before
    stop
    check "aof $1: redis-check-aof" redis-check-aof appendonlydir/appendonly.aof.manifest
    start --appendonly yes --enable-debug-command yes
    [ "$(digest)" = "$(cat ../digest.before)" ]
    check "aof $1: the same data set after rewrite and restart" test $? = 0
    value "aof $1: keys after rewrite" keys
    stop
}

rewrite() {
    cli bgrewriteaof
    wait_until 30 rewritten
}
rewritten() { cli info persistence | grep -q 'aof_rewrite_in_progress:0' && ls appendonlydir | grep -q '\.2\.base'; }

# Acknowledged writes of several clients, killed at some moment, three times: none may be missing.
under_load() {
    local round client
    for round in 1 2 3; do
        rm -f ../acknowledged.*
        start --appendonly yes --appendfsync everysec
        for client in 1 2 3; do
            python3 "$LOADER" "$PWD/socket" "r$round:c$client" >"../acknowledged.$client" &
            clients[client]=$!
        done
        wait_until 30 all_begun
        sleep 1
        kill_hard $server
        wait "${clients[@]}" 2>/dev/null
        start --appendonly yes
        for client in 1 2 3; do
            last=$(tail -n 1 "../acknowledged.$client")
            seq "$last" | sed "s/^/EXISTS r$round:c$client:/" | cli | grep -cv '^1$' | grep -qx 0
            check "load, round $round, client $client: nothing acknowledged is missing" test $? = 0
        done
        stop
    done
}
all_begun() { [ -s ../acknowledged.1 ] && [ -s ../acknowledged.2 ] && [ -s ../acknowledged.3 ]; }

snapshots() {
    start --dbfilename dump.rdb --enable-debug-command yes
    check "rdb: fill" fill s 5000
    check "rdb: save" cli save
    check "rdb: bgsave" cli bgsave
    wait_until 30 saved
    digest >../digest.before
    kill_hard $server
    check "rdb: redis-check-rdb" redis-check-rdb dump.rdb
    start --dbfilename dump.rdb --enable-debug-command yes
    [ "$(digest)" = "$(cat ../digest.before)" ]
    check "rdb: the same data set" test $? = 0
    value "rdb: keys" keys
    check "rdb: redis-benchmark" redis-benchmark -s "$PWD/socket" -n 3000 -q
    cli set lastword said; stop save
    start --dbfilename dump.rdb
    value "rdb: saved at shutdown" cli get lastword
    stop
}
saved() { cli info persistence | grep -q 'rdb_bgsave_in_progress:0'; }

prepare() {
    cat >"$SCRATCH/loader.py" <<'TEXT'
"""Sets keys until the server has gone, and says how many were acknowledged."""
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rb"); n = 0
try:
    while n < 200000:
        value = b"x" * (n % 700)
        s.sendall(f"SET {sys.argv[2]}:{n + 1} ".encode() + b"v" + value + b"\r\n")
        if not f.readline().startswith(b"+OK"): break
        n += 1
        if n % 100 == 1: print(n, flush=True)
except OSError:
    pass
print(n, flush=True)
TEXT
}

suite() {
    LOADER=$SCRATCH/loader.py
    for fsync in always everysec no; do mkdir $fsync; cd $fsync; append_only $fsync; cd ..; done
    mkdir load; cd load; under_load; cd ..
    mkdir rdb; cd rdb; snapshots
}
