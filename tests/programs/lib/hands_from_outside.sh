# What others do to a volume while programs use it: limits, mounts, agents, stores, moves, and hands on backing files.

# session COMMAND...: in a volume of its own, with an agent of its own at $work/agent.pid, that the test may kill or stop
start_agent() { # start_agent [ARGUMENTS...]
    "$OVERLAY_CTL" agent --volume "$volume" --key-file "$key" --ready-fd 9 "$@" 9>"$work/ready" 2>>"$log" &
    agent=$!
    for _ in $(seq 200); do [ -s "$work/ready" ] && return 0; sleep 0.05; done
    fail "the agent did not start"
}
stop_agent() { kill "$agent" 2>/dev/null; wait "$agent" 2>/dev/null; true; }
preloaded() { env LD_PRELOAD="$OVERLAY_SHIM" OVERLAY_VOLUMES="$volume" timeout -k 5 120 "$@"; }

fresh() { # fresh FILE: 100 KiB of known content
    inside bash -c "seq 20000 | head -c 100000 >'$volume/$1'" && seq 20000 | head -c 100000 >"$work/expected"
}

# RLIMIT_FSIZE speaks of what the program wrote, not of where it lies in the backing file.
limit_size() {
    local script=$here/parts/faults/size_limit.py
    mkdir -p "$work/plain"
    python3 -S "$script" "$work/plain" >"$work/plain.out" 2>&1
    inside python3 -S "$script" "$volume" >"$work/sealed.out" 2>&1
    diff "$work/plain.out" "$work/sealed.out"
}

bad_pointers() {
    local script=$here/parts/faults/bad_pointers.py
    mkdir -p "$work/plain"
    python3 -S "$script" "$work/plain" >"$work/plain.out" 2>&1
    inside python3 -S "$script" "$volume" >"$work/sealed.out" 2>&1
    diff "$work/plain.out" "$work/sealed.out" && grep -q '^good 64 True' "$work/plain.out"
}

limit_descriptors() {
    fresh a
    inside bash -c "ulimit -n 12; exec python3 -S '$here/parts/faults/no_descriptors.py' '$volume'"
}

# Another file system below the volume is a part of it, whichever way one gets there.
mounted_below() {
    local below=$volume/below
    fresh a
    inside mkdir -p "$below"
    mkdir -p "$work/mount"
    mount -t tmpfs none "$below" 2>/dev/null || { skip "tmpfs cannot be mounted here"; return; }
    ln -s "$below" "$work/way-in"
    inside bash -c "seq 5000 >'$below/text'; seq 5000 >'$work/way-in/by-a-link'; cd '$below'; seq 5000 >>appended"
    local seen names="text by-a-link appended" name
    for name in $names; do
        seen=$(inside stat -c %s "$below/$name") && same "$seen" 23893 "size of $name" &&
            seen=$(inside cat "$below/$name" | cksum) && same "$seen" "$(seq 5000 | cksum)" "$name" || { umount "$below"; return 1; }
        ! grep -q 4999 "$below/$name" || { umount "$below"; fail "$name is plaintext"; return; }
    done
    inside mv "$below/text" "$volume/moved" && inside test -f "$volume/moved"
    seen=$?
    umount "$below"
    same $seen 0 "mv out of it" && inside cmp "$volume/moved" <(seq 5000)
}

# With its store elsewhere, a read-only volume can be read; with its store on it, the agent cannot start.
read_only_volume() {
    local place=$work/mount/readonly seen
    small_disk readonly || return
    new_volume "$place/vol" "$key" --store "$work/readonly.db" && in_volume "$place/vol" "$key" bash -c "seq 20000 >$place/vol/a" || return 1
    mount -o remount,ro "$place" || { drop_disk readonly; skip "cannot remount"; return; }
    seen=$(in_volume "$place/vol" "$key" bash -c "
        seq 20000 | cmp - $place/vol/a && echo same
        for what in 'write-at $place/vol/a 5' 'append $place/vol/a' 'create $place/vol/b' 'truncate $place/vol/a 5'; do ${probe[*]} \$what; done
        bash -c 'cat $place/vol/a | wc -l'" | paste -sd ' ')
    mount -o remount,rw "$place"
    seen+=" $(in_volume "$place/vol" "$key" "${probe[@]}" write-at "$place/vol/a" 5)"
    drop_disk readonly
    same "$seen" "same EROFS EROFS EROFS EROFS 20000 ok"
}
read_only_store() {
    local place=$work/mount/readonlystore
    small_disk readonlystore || return
    new_volume "$work/rostore" "$key" --store "$place/store.db" && in_volume "$work/rostore" "$key" bash -c "echo x >$work/rostore/a" || return 1
    mount -o remount,ro "$place" || { drop_disk readonlystore; skip "cannot remount"; return; }
    in_volume "$work/rostore" "$key" cat "$work/rostore/a" >"$work/seen" 2>&1
    local status=$?
    mount -o remount,rw "$place"
    in_volume "$work/rostore" "$key" cat "$work/rostore/a" | grep -qx x || fail "it does not come back" || return
    drop_disk readonlystore
    same "$status" 3 && same "$(grep -vc "^  -> " "$work/seen")" 1 lines
}
read_only_from_the_start() {
    local place=$work/mount/readonly2
    small_disk readonly2 || return
    new_volume "$place/vol" "$key" && in_volume "$place/vol" "$key" bash -c "seq 20000 >$place/vol/a" && mount -o remount,ro "$place" || return 1
    in_volume "$place/vol" "$key" bash -c "seq 20000 | cmp - $place/vol/a && echo same; ${probe[*]} write-at $place/vol/a 5; ${probe[*]} create $place/vol/b" >"$work/seen"
    local status=$?
    drop_disk readonly2
    note="status $status: $(paste -sd ' ' "$work/seen")"
    [ $status = 3 ] || same "$(paste -sd ' ' "$work/seen")" "same EROFS EROFS"
}

agent_killed() {
    fresh a; fresh b
    start_agent || return
    preloaded python3 -S "$here/parts/faults/agent_killed.py" "$volume" "$agent"
    local status=$?
    stop_agent
    [ $status = 0 ] && inside cmp "$volume/a" <(printf over; tail -c +5 "$work/expected")
}

agent_slow() {
    fresh a
    start_agent || return
    kill -STOP "$agent"
    preloaded "${probe[@]}" read "$volume/a" >"$work/answer" &
    local program=$!
    sleep 3
    [ -s "$work/answer" ] && { kill -CONT "$agent"; stop_agent; fail "it did not wait"; return; }
    kill -CONT "$agent"
    wait $program
    stop_agent
    same "$(cat "$work/answer")" "ok $(sha256sum <"$work/expected" | cut -c 1-16)"
}

store_locked() {
    fresh a
    mkfifo "$work/gate.$$"
    (echo 'pragma busy_timeout = 0; begin immediate;'; echo '.print locked'; cat "$work/gate.$$") | sqlite3 "$volume/.overlay/store.db" >"$work/locked" &
    exec 8>"$work/gate.$$"
    for _ in $(seq 100); do grep -q locked "$work/locked" && break; sleep 0.05; done
    # Whoever holds the store for writing keeps nobody from reading files; new files wait, then fail, and come again afterwards.
    inside cmp "$work/expected" "$volume/a"
    local reading=$?
    inside "${probe[@]}" create "$volume/new" >"$work/answer"
    exec 8>&-
    wait $!
    rm "$work/gate.$$"
    inside bash -c "rm -f '$volume/new'; ${probe[*]} create '$volume/new'" >>"$work/answer"
    inside rm -f "$volume/new"
    note="creating meanwhile: $(head -n 1 "$work/answer")"
    same "$reading" 0 "reading" && same "$(tail -n 1 "$work/answer")" ok "creating afterwards"
}

store_corrupt() { # in each way: exit code 3, one line, no stack trace, and all is well when the store is back
    fresh a
    local store=$volume/.overlay/store.db way
    cp -a "$store" "$work/store.good"
    for way in 'truncate -s 0' 'truncate -s 5000' 'dd if=/dev/urandom bs=4096 count=1 conv=notrunc status=none of=' 'rm' 'chmod 0' \
        'dd if=/dev/urandom bs=4096 seek=1 count=100 conv=notrunc status=none of='; do
        case $way in *=) $way"$store" ;; *) $way "$store" ;; esac
        inside cat "$volume/a" >"$work/out" 2>"$work/said"
        local status=$?
        { echo "$way: status $status"; cat "$work/said"; }
        cp -a "$work/store.good" "$store"
        rm -f "$store-wal" "$store-shm"
        [ "$way" = 'chmod 0' ] && [ "$(id -u)" = 0 ] && continue
        [ $status = 3 ] && [ "$(grep -vc "^  -> " "$work/said")" = 1 ] && grep -q '^overlay-ctl: ' "$work/said" && [ ! -s "$work/out" ] || return 1
    done
    inside cmp "$work/expected" "$volume/a"
}

volume_moved() {
    local from=$work/moving to=$work/moved
    new_volume "$from" "$key" || return
    in_volume "$from" "$key" python3 -S "$here/parts/faults/moved.py" "$from" "$to" || return 1
    if grep -rl 'must not be plain' "$to"; then fail "plaintext in the moved volume"; return; fi
    in_volume "$to" "$key" bash -c "cat $to/a" | grep -qx 'firstsecond'
}

sticky_bit() {
    fresh a
    chmod -t "$volume/a"
    inside cmp "$work/expected" "$volume/a" && [ -k "$volume/a" ] || fail "the mark was not put back" || return
    inside bash -c "exec 5<>$volume/a; command -p chmod 644 $volume/a; [ -k $volume/a ]" && fail "the program saw the mark" && return 1
    [ -k "$volume/a" ] || fail "chmod took the mark away" || return
    # Taken away and set again while it is open and written.
    inside python3 -S - "$volume/a" "$work/signal" <<'P' &
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
open(sys.argv[2], "w").close()
for i in range(200):
    os.pwrite(fd, b"%4d" % i, 0)
    assert os.pread(fd, 4, 0) == b"%4d" % i
    assert os.fstat(fd).st_size == 100000, os.fstat(fd).st_size
    time.sleep(0.01)
P
    local program=$!
    for _ in $(seq 200); do [ -e "$work/signal" ] && break; sleep 0.05; done
    for _ in $(seq 50); do chmod -t "$volume/a"; sleep 0.01; chmod +t "$volume/a"; sleep 0.01; done
    wait $program || fail "the program failed" || return
    inside bash -c "head -c 4 $volume/a" | grep -qx ' 199' || fail "not what was written last" || return
    echo plain >"$volume/foreign"; chmod +t "$volume/foreign"
    local seen; seen=$(inside "${probe[@]}" read "$volume/foreign")
    rm "$volume/foreign"
    note="a plain file with the mark: $seen"
    same "$seen" EIO
}

cut_while_open() { # what is missing is EIO, never zeros; what is written afterwards is never plaintext
    fresh a
    inside python3 -S "$here/parts/faults/cut.py" "$volume/a" "$volume" || return
    rm -f "$volume/a"
}

foreign_while_open() {
    fresh a
    inside python3 -S "$here/parts/faults/foreign.py" "$volume/a" "$volume" && rm -f "$volume/a"
}

# A descriptor of an empty file without a header, handed in from outside: looked at, and used, before and after another process has sealed the file.
sealed_behind_a_descriptor() {
    local first
    for first in 'os.fstat(3)' 'os.read(3, 1)'; do
        : >"$volume/newborn"
        inside python3 -S -c "
import os, subprocess, sys
$first
subprocess.run(['sh', '-c', 'echo sealed >\"\$0\"', sys.argv[1]], check=True)
os.write(3, b'in the clear')" "$volume/newborn" 3<>"$volume/newborn" || return 1
        ! grep -q 'in the clear' "$volume/newborn" || fail "plaintext is on the disk after $first" || return
        same "$(inside cat "$volume/newborn")" "in the clear" content || return
        inside rm "$volume/newborn"
    done
}
