#!/usr/bin/env bash
# The agent that keeps a volume's pages: several agents, one that ends, one that is killed, processes that are killed.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/runner.sh"
[ "$OVERLAY_RUNNER" = overlay ] || { echo "this suite needs the built tree: nothing to do"; exit 0; }
runner_check || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-keeper.XXXXXX")
chmod 755 "$work"
export OVERLAY_RUNTIME_DIR=$work OVERLAY_LOG=$work/log
trap 'rm -rf "$work"' EXIT
box= volume=$work/vol key=$work/key file=$work/vol/file
passed=0 failed=0

run() { timeout -k 5 60 $box "$OVERLAY_CTL" run --volume "$volume" --key-file "$key" -- "$@"; }
fresh() { run python3 -c "open('$file', 'wb').write(b'.' * 100000)"; }
content() { run head -c "${1:-20}" "$file" 2>&1; }
# What another agent has to do first takes it a moment, and on a busy machine longer.
content_soon() { # content_soon LENGTH WANTED
    local found tries=100
    while found=$(content "$1"); [ "$found" != "$2" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
    echo "$found"
}

# mapper NAME: a process of its own agent that maps the file; commands go to it by descriptor, answers to NAME.out
mapper() {
    rm -f "$work/$1.in"; mkfifo "$work/$1.in"
    : >"$work/$1.out"
    # Where its agent is killed, the shell would say so here.
    { run python3 -u "$here/parts/mappings/mapper.py" "$file" <"$work/$1.in" >>"$work/$1.out" 2>&1; } 2>/dev/null &
    eval "agent_$1=$!; exec {in_$1}>$work/$1.in"
    answered "$1" 1
}
# answers NAME: not what the job's shell says of an agent that was killed, at any time
answers() { grep -v ' Killed  ' "$work/$1.out"; }
# answered NAME COUNT: waits for that many
answered() { for _ in $(seq 400); do [ "$(answers "$1" | wc -l)" -ge "$2" ] && return; sleep 0.02; done; echo "no answer from $1"; }
# say NAME COMMAND...: its answer, if it still lives
say() {
    local name=$1 lines descriptor=in_$1
    shift
    lines=$(answers "$name" | wc -l)
    echo "$*" >&"${!descriptor}"
    answered "$name" $((lines + 1))
    answers "$name" | tail -n 1
}
finish() {
    local agent=agent_$1 descriptor=in_$1
    echo quit >&"${!descriptor}"
    eval "exec {in_$1}>&-"
    wait "${!agent}" 2>/dev/null
    rm -f "$work/$1.in"
}
overlay_ctl_of() { # below the shell of the background job, and timeout
    local agent=agent_$1
    pgrep -P "$(pgrep -P "${!agent}")"
}

expect() { # expect NAME EXPECTED SEEN
    if [ "$2" = "$3" ]; then
        echo "ok $1"; passed=$((passed + 1))
    else
        echo "FAIL $1"; echo "     expected: $2"; echo "     seen:     $3"; sed 's/^/     log: /' "$work/log" 2>/dev/null | head -n 5
        failed=$((failed + 1))
    fi
    rm -f "$work/log"
}

two_agents() {
    fresh; mapper one; mapper two
    say one put 0 one; say two put 10 two; say one get 0 13
    content 13; echo; run sh -c "printf written | dd of=$file conv=notrunc seek=20 oflag=seek_bytes status=none"; say two get 20 7
    finish two; finish one; content 13
}
keeper_ends_first() {
    fresh; mapper one; mapper two
    say one put 0 one; say two get 0 3
    finish one
    say two put 10 two; content 13; echo
    mapper three; say three get 10 3; say three put 10 TWO; say two get 10 3
    finish two; say three put 0 ONE; finish three; content 13
}
process_killed() {
    fresh; mapper one
    say one put 0 killed; say one kill >/dev/null 2>&1; wait "$agent_one" 2>/dev/null; rm -f "$work/one.in"
    content 6
}
killed_under_another_agent() {
    fresh; mapper one; mapper two
    say two put 0 killed; say two kill >/dev/null; wait "$agent_two" 2>/dev/null; rm -f "$work/two.in"
    say one get 0 6; content 6; echo
    finish one; content 6
}
agent_killed() {
    fresh; mapper one; local agent; agent=$(overlay_ctl_of one)
    say one put 0 before; kill -9 "$agent"; say one put 10 after; say one write 20 written; say one get 20 7
    say one flush
    finish one; content_soon 27 before....after.....written
}
agent_killed_and_followed() {
    fresh; mapper one; local agent; agent=$(overlay_ctl_of one)
    say one put 0 before; kill -9 "$agent"
    # The second one waits for the pages until the first one comes to the file again.
    (sleep 0.5; printf 'put 10 after\nget 0 15\n' >&"$in_one") & local comes=$!
    mapper two; wait $comes
    say two get 0 15; say two put 16 both; say one get 10 10; content 20; echo
    finish one; finish two; content 20
}
agent_killed_nobody_offers() {
    fresh; mapper one; local agent; agent=$(overlay_ctl_of one)
    say one put 0 before; kill -9 "$agent"
    run head -c 3 "$file" 2>&1 | sed "s|$work||"
    say one put 0 follow; finish one; content_soon 6 follow
}

# Containers that have nothing in common but the volume: all agents have the same address, each in a directory and of a process number of
# its own container.
in_boxes() {
    box=in_box
    export OVERLAY_RUNTIME_DIR=$work/run
    mkdir -p "$work/run"
    "$@"
}
cat >"$work/in_box" <<'END'
#!/bin/sh
exec unshare --mount --pid --fork --kill-child --mount-proc sh -c 'mount -t tmpfs tmpfs "$OVERLAY_RUNTIME_DIR" && exec "$@"' sh "$@"
END
chmod +x "$work/in_box"
PATH=$work:$PATH
two_boxes() { in_boxes two_agents; }
keeper_box_ends_first() { in_boxes keeper_ends_first; }
third_box_meanwhile() { # what the ended keeper kept is in good hands, though nobody who maps it has come to it since
    in_boxes mappers_of_two; finish one; content 13; echo; finish two; content 13
}
mappers_of_two() { fresh; mapper one; mapper two; say one put 0 one; say two put 10 two; }
keeper_box_killed() {
    in_boxes mappers_of_two; kill -9 "$(pgrep -P "$(overlay_ctl_of one)")"; wait "$agent_one" 2>/dev/null; rm -f "$work/one.in"
    say two get 0 13
    # A box of its own keeps the pages from now on, as soon as the one that maps them comes to the file again.
    (sleep 0.5; printf 'put 10 TWO\nget 0 13\n' >&"$in_two") & local comes=$!
    content 10; echo; wait $comes; finish two; content 13
}

new_key "$key"
new_volume "$volume" "$key" >/dev/null || { echo "no volume"; exit 1; }
try() { case $1 in *"$only"*) expect "$1" "$2" "$("$1" 2>&1 | paste -sd ' ')" ;; esac; }
only=${1:-}
try two_agents "ok ok one.......two one.......two written one.......two"
try keeper_ends_first "ok one ok one.......two two ok TWO ok ONE.......TWO"
try process_killed "ok killed"
try killed_under_another_agent "ok killed killed killed"
try agent_killed "ok ok ok written ok before....after.....written"
try agent_killed_and_followed "ok before....after ok after.both before....after.both before....after.both"
try agent_killed_nobody_offers "ok head: error reading '/vol/file': Input/output error ok follow"
if unshare --mount --pid --fork --mount-proc mount -t tmpfs tmpfs /tmp 2>/dev/null; then
    try two_boxes "ok ok one.......two one.......two written one.......two"
    try keeper_box_ends_first "ok one ok one.......two two ok TWO ok ONE.......TWO"
    try third_box_meanwhile "ok ok one.......two one.......two"
    try keeper_box_killed "ok ok one.......two one....... one.......TWO"
else
    echo "skipped, no namespaces of mounts and processes can be made: boxes"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
