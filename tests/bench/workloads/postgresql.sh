# about: PostgreSQL: pgbench's transactions with two clients, and its look-ups; one server, its data on the side
scope=main
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)

reason() { [ -n "$binaries" ] || echo "PostgreSQL is not installed"; }

# It refuses to run as root. In a user namespace it is somebody else, and to the file system still who it was.
as_user() {
    if [ "$(id -u)" = 0 ]; then unshare -U --map-user=1000 --map-group=1000 "$@"; else "$@"; fi
}

server() { as_user env "${side_environment[@]}" LC_ALL=C "$binaries/pg_ctl" -D "$here/data" -s -w "$@" >/dev/null; }

client() { LC_ALL=C "$binaries/pgbench" -h "$outside/socket" -U bench "$@" bench 2>/dev/null; }

prepare() {
    mkdir -p "$outside/socket"
    chmod 700 "$here"
    as_user env "${side_environment[@]}" LC_ALL=C "$binaries/initdb" -D "$here/data" -U bench -A trust -E UTF8 -N >/dev/null || return
    printf "%s\n" "unix_socket_directories = '$outside/socket'" "listen_addresses = ''" "shared_buffers = 16MB" \
        "autovacuum = off" | on_side tee -a "$here/data/postgresql.conf" >/dev/null
    server -l "$outside/postgresql.log" start || return
    LC_ALL=C "$binaries/createdb" -h "$outside/socket" -U bench bench && client -i -q -s 2
    server -m fast stop
}

measure() (
    settle
    trap 'server -m immediate stop 2>/dev/null' EXIT
    server -l "$outside/postgresql.log" start || return
    value pgbench-transactions op/s "$(rate -c 2)"
    value pgbench-look-ups op/s "$(rate -S -c 2)"
)

rate() { client -n -T "$pgbench_seconds" "$@" | sed -n 's/^tps = \([0-9.]*\).*/\1/p'; }
