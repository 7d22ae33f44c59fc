#!/usr/bin/env bash
# The machine itself fails: every system call in turn, full disks, limits, read-only mounts, agents and stores that are gone, slow,
# locked or broken, and hands from outside on the backing files. Prints "ok NAME" or "FAIL NAME"; ends with a count.
# usage: hard_faults.sh [PATTERN]; OVERLAY_FAULTS=all tries more errnos at every system call.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/runner.sh"
. "$here/lib/full_disk.sh"
. "$here/lib/hands_from_outside.sh"
. "$here/lib/clock.sh"
[ "$OVERLAY_RUNNER" = overlay ] || { echo "hard faults need the built tree: nothing to do"; exit 0; }
runner_check || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-hard.XXXXXX")
chmod 755 "$work"
export OVERLAY_RUNTIME_DIR=$work/run LC_ALL=C
mkdir -m 700 "$work/run"
key=$work/key volume=$work/vol log=$work/log
probe=(python3 -S "$here/lib/probe.py")
trap 'for mounted in "$work"/mount/*; do umount "$mounted" 2>/dev/null; done; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
pattern=${1:-} passed=0 failed=0 skipped=0

verdict() { # verdict NAME STATUS
    case $2 in
        0) passed=$((passed + 1)); echo "ok $1${note:+ ($note)}" ;;
        77) skipped=$((skipped + 1)); echo "skip $1 ($note)" ;;
        *) failed=$((failed + 1)); echo "FAIL $1${note:+ ($note)}"; tail -n 30 "$log" | cut -c 1-300 | sed 's/^/     /' ;;
    esac
}
check() { # check NAME FUNCTION
    [[ $1 == *"$pattern"* ]] || return
    : >"$log"
    note=
    "$2" >>"$log" 2>&1
    verdict "$1" $?
}
inside() { in_volume "$volume" "$key" timeout -k 5 120 "$@"; }
fail() { echo "$*"; return 1; }
skip() { note=$*; return 77; }
same() { [ "$1" = "$2" ] || fail "${3:-}: saw '$1', expected '$2'"; }

# Every system call on the backing file fails once, for every one that a program's work takes; then from the n-th on.
inside_every_call() { # the whole loop in one session: a volume's agent is not started a thousand times
    export here work key
    rm -rf "$work/steps"
    new_volume "$work/steps" "$key" && in_volume "$work/steps" "$key" bash "$here/parts/faults/every_call.sh" "$@" &&
        note=$(tail -n 1 "$log")
}
call_enospc() { inside_every_call 28 28; }
call_eio() { inside_every_call 5 5; }
call_edquot() { inside_every_call 122 122; }
call_eintr() { inside_every_call 4; } # the engine's own affair: the program never sees it
call_short() { inside_every_call short; }
call_enospc_from() { inside_every_call from:28 28; }
call_eio_from() { inside_every_call from:5 5; }
# Killed between putting a write down and the write itself: reading and stat agree, at once and for good.
killed_at_a_write() {
    command -v strace >/dev/null || { skip "no strace"; return; }
    cat >"$work/killed.sh" <<'TEXT'
file=$1/killed.$2
dd --version >/dev/null # what the shim remembers of it is written now
printf old >"$file.old"; printf 'a longer first part' >"$file.grown"
for path in "$file.new" "$file.old" "$file.grown"; do
    # dd makes the file, or writes over it, or appends: a signal at the n-th write of the engine's.
    (strace -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when="$2" \
        dd if=/dev/zero of="$path" bs=2400 count=2 oflag=append conv=notrunc status=none; exit) 2>/dev/null
    [ -e "$path" ] || continue # killed before it was made
    first=$(cat "$path" | wc -c) told=$(stat -c %s "$path")
    printf x >>"$path"
    [ "$first" = "$told" ] && [ "$(stat -c %s "$path")" = $((first + 1)) ] && [ "$(cat "$path" | wc -c)" = $((first + 1)) ] ||
        { echo "$path: $first bytes read, $told told, then $(stat -c %s "$path")"; exit 1; }
done
TEXT
    local n
    for n in 1 2 3 4 5 6; do
        inside bash "$work/killed.sh" "$volume" $n || return
    done
}

main() {
    new_key "$key"
    build_tools "$work/tools" && new_volume "$volume" "$key" >"$log" 2>&1 || { cat "$log"; exit 1; }
    check every-call-fails-once-with-ENOSPC call_enospc
    [ -z "${OVERLAY_FAULTS:-}" ] || check every-call-fails-once-with-EIO call_eio
    [ -z "${OVERLAY_FAULTS:-}" ] || check every-call-fails-once-with-EDQUOT call_edquot
    check every-call-is-interrupted-once call_eintr
    check every-transfer-is-short-once call_short
    [ -z "${OVERLAY_FAULTS:-}" ] || check every-call-fails-from-the-nth-on-with-ENOSPC call_enospc_from
    check every-call-fails-from-the-nth-on-with-EIO call_eio_from
    check full-disk-dd full_disk_dd
    check full-disk-sqlite full_disk_sqlite
    check full-disk-git full_disk_git
    check full-disk-tar full_disk_tar
    check full-disk-and-shared-counters full_disk_counters
    check full-disk-that-copies-on-write full_disk_copying
    check full-disk-and-counters-of-a-backup full_disk_restored_counters
    check quota-answers full_quota_answers
    check quota-dd full_quota_dd
    check quota-sqlite full_quota_sqlite
    check quota-git full_quota_git
    check size-limit limit_size
    check bad-pointers bad_pointers
    check no-descriptors-left limit_descriptors
    check read-only-volume read_only_volume
    check read-only-volume-with-its-store read_only_from_the_start
    check read-only-store read_only_store
    check killed-at-a-write killed_at_a_write
    check agent-killed agent_killed
    check agent-slow agent_slow
    check clock-steps clock_steps
    check clock-steps-between-boots clock_steps_between_boots
    check clock-back-and-idle-agent clock_back_and_idle_agent
    check store-locked store_locked
    check store-corrupt store_corrupt
    check another-file-system-below-the-volume mounted_below
    check volume-moved-while-in-use volume_moved
    check sticky-bit-from-outside sticky_bit
    check cut-from-outside-while-open cut_while_open
    check foreign-file-while-open foreign_while_open
    check empty-file-sealed-behind-a-descriptor sealed_behind_a_descriptor
    [ $skipped = 0 ] || echo "$skipped skipped"
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
main
