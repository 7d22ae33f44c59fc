#!/usr/bin/env bash
# make bench: what Overlay costs, as ratios to the same commands without it. The two sides run in turn; medians.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../programs/lib/runner.sh"

usage() {
    echo "usage: bench.sh [--quick] [--json FILE] [--directory DIRECTORY]"
    echo "  --directory   on the file system to measure; default TMPDIR"
}
rounds=3 starts=200 scale=100 json='' base=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=1 starts=40 scale=10 ;;
        --json) shift; json=$1 ;;
        --directory) shift; base=$1 ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
runner_check || exit 2

work=$(mktemp -d "$base/overlay-bench.XXXXXX")
holder=
cleanup() {
    [ -z "$holder" ] || { : >"$work/stop"; wait "$holder" 2>/dev/null; }
    rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/plain"
new_key "$work/key"
new_volume "$work/vol" "$work/key" >/dev/null || exit 1
for program in startup micro; do
    "${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$work/$program" "$here/$program.c" || exit 2
done
head -c 1000 "$repository/docs/format.md" >"$work/plain/small"
head -c 1000000 /dev/urandom >"$work/plain/large"
in_volume "$work/vol" "$work/key" cp "$work/plain/small" "$work/plain/large" "$work/vol/" || exit 1

# A run that only holds the agent: its environment lets commands be started under the shim from here.
in_volume "$work/vol" "$work/key" bash -c '
    env | grep -E "^(LD_PRELOAD|OVERLAY_[A-Z_]*)=" >"$1/environment.new"
    mv "$1/environment.new" "$1/environment"
    until [ -e "$1/stop" ]; do sleep 0.1; done' - "$work" &
holder=$!
for ((i = 0; i < 100; i++)); do [ -e "$work/environment" ] && break; sleep 0.05; done

# start_row NAME "COMMAND PLAIN" "COMMAND SEALED" BUDGET-IN-MICROSECONDS
start_row() {
    # shellcheck disable=SC2086
    set -- "$1" "$4" $("$work/startup" $starts "$work/environment" $2 -- $3)
    [ $# = 6 ] && echo "start $1 $2 $3 $5" >>"$work/results" || echo "the start-up of $1 could not be measured" >&2
}
: >"$work/results"
start_row true "/bin/true" "/bin/true" 400
start_row cat-plain-file "/bin/cat $work/plain/small" "/bin/cat $work/plain/small" 400
start_row bash "/bin/bash -c :" "/bin/bash -c :" 400
start_row ls-of-directory "/bin/ls $work/plain" "/bin/ls $work/vol" 3400
start_row cat-1k "/bin/cat $work/plain/small" "/bin/cat $work/vol/small" 3400
start_row cat-1m "/bin/cat $work/plain/large" "/bin/cat $work/vol/large" 3400
start_row sha256sum-1m "/usr/bin/sha256sum $work/plain/large" "/usr/bin/sha256sum $work/vol/large" 3400
[ ! -x /usr/bin/python3 ] || start_row python3 "/usr/bin/python3 -S -c pass" "/usr/bin/python3 -S -c pass" 800

for ((round = 0; round < rounds; round++)); do
    "$work/micro" "$work/plain" $scale | sed 's/^/plain /' >>"$work/results"
    in_volume "$work/vol" "$work/key" "$work/micro" "$work/vol" $scale | sed 's/^/sealed /' >>"$work/results"
done
"$here/report.py" "$work/results" ${json:+"$json"}
