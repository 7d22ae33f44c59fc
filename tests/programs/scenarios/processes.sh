# about: daemons, log rotation, flock, xargs -P, inherited descriptors, signals, many short processes
# needs: flock xargs nohup

case_nohup_daemon() {
    nohup sh -c 'for i in 1 2 3 4 5; do echo "tick $i $MARKER"; sleep 0.1; done' >log 2>&1 &
    wait; cat log
    (setsid sh -c 'sleep 0.2; echo "after the parent $MARKER" >late; echo done >>log' </dev/null >/dev/null 2>&1 &)
    for i in $(seq 100); do grep -q done log && break; sleep 0.05; done
    cat late
}

case_log_rotation() {
    cat >logger <<'TEXT'
trap 'exec >>log' HUP
exec >>log
n=0
until [ -e stop ]; do n=$((n + 1)); echo "line $n $MARKER"; sleep 0.02; done
echo "count $n" >count
TEXT
    : >log
    sh logger & daemon=$!
    for rotation in 1 2 3; do
        sleep 0.2; mv log log.$rotation; : >log; kill -HUP $daemon
    done
    sleep 0.2; : >stop; wait $daemon
    read -r _ written <count
    [ "$(cat log log.* | wc -l)" = "$written" ] && echo "no line lost"
    cat log log.* | grep -vc "^line [0-9]* $MARKER$" || echo "no line torn"
    volatile 'case_log_rotation/log*' 'case_log_rotation/count'
}

case_copy_truncate() {
    (for i in $(seq 200); do echo "line $i $MARKER"; done >>log) & wait
    exec 3>>log
    cp log log.1; truncate -s 0 log; echo "after $MARKER" >&3; exec 3>&-
    stat -c %s log; cat log; wc -l log.1
}

case_flock() {
    echo 0 >counter
    for worker in 1 2 3 4; do
        (for i in $(seq 15); do flock lock sh -c 'read n <counter; echo $((n + 1)) >counter'; done) &
    done; wait
    cat counter
    exec 9>lock
    flock 9
    status flock -n lock true
    status flock -n -s lock true
    flock -u 9
    status flock -n lock echo got it
    exec 9>&-
    (flock -s 8; flock -n -s lock echo shared) 8<lock
}

case_xargs() {
    cp -r "$INPUTS/small" small
    find small -type f -print0 | sort -z | xargs -0 -P 4 -n 20 sha256sum | sort -k 2 >sums
    sha256sum --quiet -c sums && echo intact
    seq 60 | xargs -P 6 -I N sh -c 'echo "N $MARKER" >made-N; cat made-N >>all'
    sort -n all | checksum; ls | wc -l; xargs -a all -n 1000 echo | wc -l; volatile 'case_xargs/all'
}

case_inherited_descriptors() {
    echo "first $MARKER" >a
    exec 5<>a 6>>b
    sh -c 'read -r line <&5; echo "child read: $line"; echo "child wrote" >&5; echo "child appended" >&6'
    env -i PATH="$PATH" sh -c 'echo "without environment" >&6'
    echo "parent goes on" >&5
    exec 5>&- 6>&-
    cat a b
    (exec sh -c 'exec cat' <a >c 2>&1); cat c
    seq 5 | (read -r one; cat >d); cat d
}

case_short_processes() {
    for i in $(seq 150); do /bin/echo "$i $MARKER" >>many; /bin/cat many >/dev/null; done
    wc -l many
    for i in $(seq 50); do echo "$i" >"f$i" & done; wait; cat f* | sort -n | checksum
}

case_signals() {
    echo 'trap "echo interrupted >>log; exit 4" INT; while :; do echo "$MARKER" >>log; sleep 0.05; done' >loop
    timeout -s INT 0.3 sh loop || echo "status $?"
    tail -n 1 log; volatile 'case_signals/log'
    { sh -c 'echo "written before $MARKER" >before; kill -9 $$' || echo "status $?"; } 2>/dev/null
    cat before
    { sh -c 'kill -TERM $$' || echo "status $?"; } 2>/dev/null
}

case_fifo_and_socket() {
    mkfifo pipe; (echo "through a pipe $MARKER" >pipe &) ; cat <pipe >a; cat a; rm pipe
    cat a | cat - a | tail -n 1 >/dev/stdout
    echo "by /dev/fd" | tee /dev/fd/1 >b; cat /dev/fd/3 3<a; cat /proc/self/fd/0 <a; cat b
    script=$(command -v script) && script -qec 'cat a' /dev/null </dev/null | tr -d '\r' || :
}

# A child that shares its parent's memory (posix_spawn) is the first to touch the volume; then the parent writes.
case_spawned_first() {
    need gcc
    gcc -O1 "$PARTS/processes/spawn_first.c" -o "$OUTSIDE/spawn_first"
    echo "$MARKER" >text
    here=$PWD
    cd "$OUTSIDE"
    ./spawn_first to "$here/out" write "$here/new" append "$here/out" append "$here/text" read "$here/text"
    ./spawn_first to "$here/out_2" to "$here/out_2" to "$here/out_3" append "$here/out_2"
    cat "$here/new" "$here"/out* "$here/text"
    rm spawn_first
}

# Threads with the smallest stacks there are, and handlers on small signal stacks, which the engine must not overrun.
case_small_stacks() {
    need gcc
    gcc -O1 "$PARTS/processes/small_stacks.c" -o "$OUTSIDE/small_stacks" -lpthread
    for way in threads signal forks; do
        mkdir "$way"
        "$OUTSIDE/small_stacks" "$way" "$PWD/$way" || echo "status $?"
    done
    cat threads/file-* signal/file-* forks/file-* | checksum
    rm "$OUTSIDE/small_stacks"
}

# A C program of parts/processes, which prints what it finds.
compiled() {
    need gcc
    gcc -O1 -D_GNU_SOURCE "$PARTS/processes/$1.c" -o "$OUTSIDE/$1" -lpthread
    "$OUTSIDE/$1" "$PWD" || echo "status $?"
    rm "$OUTSIDE/$1"
}

case_locks() { compiled locks; }
case_late_threads() { compiled late_threads; }
# A second thread comes with large writes: forks, filters, namespaces, handlers, ends.
case_helped_writes() { export OVERLAY_HELPER=1; compiled helped_writes; }
# Many threads, and the first touch of the engine is in the middle of libc's way of changing the user in all of them.
case_changed_users() { compiled changed_users; }
case_passed_descriptors() { compiled passed; }
case_interrupted() { compiled interrupted; volatile 'case_interrupted/written'; }
