# One function a case, run in a directory of its own ($CASE); the last line that it prints is its count.

scaled() { echo $(($1 * scale)); }

# tortured "INIT ARGUMENTS" PROGRAM ARGUMENTS...: in a new volume
tortured() {
    local init=$1
    shift
    # shellcheck disable=SC2086
    [ -d "$CASE/volume" ] || new_volume "$CASE/volume" "$CASE/key" $init >/dev/null 2>&1 || return 98
    export OVERLAY_LOG=$CASE/overlay.log TORTURE_SEED=$seed
    watched in_volume "$CASE/volume" "$CASE/key" "$@"
}

# autostarted PROGRAM ARGUMENTS...: as in deployments without overlay-ctl run; the first process that needs an agent starts it
autostarted() {
    new_volume "$CASE/volume" "$CASE/key" >/dev/null 2>&1 || return 98
    export OVERLAY_LOG=$CASE/overlay.log TORTURE_SEED=$seed
    watched env LD_PRELOAD="$OVERLAY_SHIM" OVERLAY_VOLUMES="$CASE/volume" OVERLAY_KEY_FILE="$CASE/key" "$@"
}

case_kill() { # workers killed at random instants, blocks of 16 KiB
    TORTURE_KILLS=$(scaled 150) tortured "" "$RUN/bin/kill" "$CASE/volume" "$CASE/state"
}

case_kill_small_blocks() { # the same with blocks of 4 KiB, many groups, aegis-256
    TORTURE_BLOCK=4096 TORTURE_KILLS=$(scaled 100) \
        tortured "--block-size 4096 --cipher aegis-256" "$RUN/bin/kill" "$CASE/volume" "$CASE/state"
}

case_kill_agent() { # the same, and the agent is killed too and starts again by itself
    [ "$OVERLAY_RUNNER" = none ] && { echo "no agent"; return 0; }
    TORTURE_AGENT=$CASE/volume TORTURE_KILLS=$(scaled 100) autostarted "$RUN/bin/kill" "$CASE/volume" "$CASE/state" || return
    # An agent that is killed before it serves is named, and started again.
    grep -v ': the agent could not be started$' "$CASE/overlay.log" >&2 || touch "$CASE/log-expected"
}

case_kill_beside_an_idle_child() { # a writer is killed whose child has inherited everything and does nothing: nobody else waits for that child
    TORTURE_KILLS=$(scaled 30) tortured "" "$RUN/bin/idle_child" "$CASE/volume"
}

case_forks() { # every way to fork while other threads are in the middle of calls
    TORTURE_FORKS=$(scaled 700) tortured "" "$RUN/bin/forks" "$CASE/volume"
}

case_forks_in_a_storm() { # the same, with SIGALRM and SIGPROF every millisecond whose handlers use sealed files
    TORTURE_STORM=1 TORTURE_FORKS=$(scaled 500) tortured "" "$RUN/bin/forks" "$CASE/volume"
}

# helped "INIT ARGUMENTS" BLOCK-SIZE
helped() {
    local torn=0
    [ "$OVERLAY_RUNNER" = none ] && torn=1
    OVERLAY_HELPER=1 TORTURE_TORN=$torn TORTURE_BLOCK=$2 TORTURE_HELPED=$(scaled 60) tortured "$1" "$RUN/bin/helped" "$CASE/volume"
}

case_helped() { # writes of a megabyte from several threads, which a second thread of ours helps, while others fork, spawn, kill, end and change their user
    helped "" 16384
}

case_helped_in_a_storm() { # the same, with SIGALRM whose handler writes as much; blocks of 4 KiB, aegis-256
    TORTURE_STORM=1 helped "--block-size 4096 --cipher aegis-256" 4096
}

case_helped_large_blocks() { # blocks of 64 KiB, xchacha20-poly1305
    helped "--block-size 65536 --cipher xchacha20-poly1305" 65536
}

case_spawn_kill() { # children of posix_spawn killed while they share our memory; nothing on the disk is plaintext
    TORTURE_SPAWNS=$(scaled 300) tortured "" "$RUN/bin/spawn_kill" "$CASE/volume" || return
    [ "$OVERLAY_RUNNER" = none ] && return 0
    touch "$CASE/log-expected" # a file whose creator was killed before its header was whole is named
    local plain
    plain=$(grep -rlF PLAINTEXT-OF-THE-TORTURE "$CASE/volume")
    [ -z "$plain" ] || { echo "plaintext on the disk: $plain" >&2; return 1; }
    [ -n "$(find "$CASE/volume" -name 'after.*')" ] || { echo "no file was left to look at" >&2; return 1; }
}

case_writers() { # up to 16 processes with up to 4 threads each on the same files: records, cells, truncations, locks
    local torn=0
    [ "$OVERLAY_RUNNER" = none ] && torn=1
    TORTURE_TORN=$torn TORTURE_WRITES=$(scaled 120) tortured "" "$RUN/bin/writers" "$CASE/volume"
}

# restore_run SEED: the steps, in the background; its process id is in the turn file
restore_run() { tortured "" python3 -S "$here/restore_steps.py" "$CASE/volume" "$1" "$(scaled 150)" "$CASE/turn"; }

case_restored_snapshot() { # the volume and its store, copied while a program is in the middle of its work, are put back and written on
    restore_run "$seed" || return
    : >"$CASE/turn"
    restore_run $((seed + 1)) &
    local run=$! process step=0
    until [ "$step" -ge "$(scaled 60)" ]; do
        kill -0 $run 2>/dev/null || { echo "it ended too early" >&2; return 1; }
        read -r process step <"$CASE/turn" || step=0
    done
    kill -STOP "$process"
    cp -a --sparse=always "$CASE/volume" "$CASE/snapshot"
    kill -CONT "$process"
    wait $run || return
    # What the first run did behind the snapshot is done again, by the same steps and by others.
    local round
    for round in 1 1 2; do
        rm -rf "$CASE/volume"
        cp -a --sparse=always "$CASE/snapshot" "$CASE/volume"
        restore_run $((seed + round)) || return
        [ "$OVERLAY_RUNNER" = none ] && continue
        # A file that was just being made, and had its header but not its mark yet: whoever opens it gives it that.
        "$OVERLAY_CTL" run --volume "$CASE/volume" --key-file "$CASE/key" -- find "$CASE/volume" -type f -exec head -c 1 {} + >"$CASE/opened" || return
        "$OVERLAY_CTL" verify "$CASE/volume" --key-file "$CASE/key" >"$CASE/verify" 2>&1 ||
            { tail -n 20 "$CASE/verify" >&2; return 1; }
    done
    echo "a snapshot at step $step of $(scaled 150), put back 3 times"
}
