# watched COMMAND...: runs it, and if it shows no progress for TORTURE_PATIENCE seconds, prints all stacks and kills it.

# A mark in the environment tells what belongs to a case, also what has left the session. Ids, one a line.
marked() { # marked MARK
    local file
    for file in $(grep -lzx "TORTURE_CASE=$1" /proc/[0-9]*/environ 2>/dev/null); do
        file=${file#/proc/}
        echo "${file%/environ}"
    done
}

print_stacks() { # print_stacks MARK
    local id
    for id in $(marked "$1"); do
        echo "== $id: $(tr '\0' ' ' <"/proc/$id/cmdline" 2>/dev/null)"
        timeout -k 5 60 gdb -p "$id" -batch -ex 'thread apply all bt 30' 2>/dev/null | grep -E '^(Thread|#)'
    done
}

kill_marked() { # kill_marked MARK
    local id
    for id in $(marked "$1"); do kill -KILL "$id" 2>/dev/null; done
}

watched() {
    local patience=${TORTURE_PATIENCE:-60} before after idle=0 status child
    local mark=$RUN.$BASHPID
    export TORTURE_BEAT=$CASE/beat
    head -c 4096 /dev/zero >"$TORTURE_BEAT"
    TORTURE_CASE=$mark "$@" &
    child=$!
    before=$(cksum <"$TORTURE_BEAT")
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        after=$(cksum <"$TORTURE_BEAT")
        idle=$((idle + 1))
        [ "$before" = "$after" ] || idle=0
        before=$after
        if [ $idle -gt $((patience * 5)) ]; then
            echo "HANG: no progress in $patience seconds (seed $TORTURE_SEED)" >&2
            print_stacks "$mark" >&2
            kill_marked "$mark"
            wait "$child"
            return 99
        fi
    done
    wait "$child"
    status=$?
    # Whatever a killed case left behind, and the agents that were started for it.
    kill_marked "$mark"
    return $status
}
