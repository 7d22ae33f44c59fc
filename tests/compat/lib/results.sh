# How a suite says what came out. Names and outcomes must not differ from run to run in a plain directory.

# result NAME OUTCOME...: "ok …", "skip …" and "fail …" are counted as such, all else as ok
result() {
    local name=$1
    shift
    printf 'RESULT\t%s\t%s\n' "$name" "$*"
    # Into the log: what took how long?
    printf '=== %s: %.2f s\n' "$name" "$(echo "$EPOCHREALTIME - ${result_before:-$EPOCHREALTIME}" | bc)" >&2
    result_before=$EPOCHREALTIME
}
result_before=$EPOCHREALTIME

# check NAME COMMAND...: ok if the command succeeds; what it prints goes to the log
check() {
    local name=$1 status=0
    shift
    "$@" >&2 || status=$?
    if [ $status = 0 ]; then result "$name" ok; else result "$name" "fail $status"; fi
    return $status
}

# value NAME COMMAND...: what the command prints on standard output is the outcome
value() {
    local name=$1 text status=0
    shift
    text=$("$@") || status=$?
    [ $status = 0 ] || text="fail $status $text"
    result "$name" "$(tr '\n\t' '  ' <<<"$text" | sed 's/ *$//' | cut -c 1-300)"
    return $status
}

# wait_until SECONDS COMMAND...: until it succeeds
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# kill_hard PROCESS: SIGKILL, and wait until it has gone
kill_hard() {
    kill -9 "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    wait_until 20 gone "$1"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# as_user USER COMMAND...: for servers that refuse root
as_user() {
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then setpriv --reuid "$user" --regid "$user" --init-groups env HOME="$PWD" "$@"; else "$@"; fi
}

# own USER FILE...: gives them to that user, where we can
own() {
    local user=$1
    shift
    [ "$(id -u)" != 0 ] || chown -R "$user": "$@"
}
