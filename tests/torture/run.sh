#!/usr/bin/env bash
# Kills, concurrency, forks and signals against programs in a volume. What each case does: tests/torture/cases.sh.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../programs/lib/runner.sh"
. "$here/watchdog.sh"
. "$here/cases.sh"

usage() {
    cat <<'TEXT'
usage: run.sh [--list] [--keep] [--minutes N | --iterations N] [--seed S] [PATTERN...]
  PATTERN         only cases whose name contains it
  --minutes N     again and again, each round with another seed, until N minutes are over
  --iterations N  one round with N times as many kills, forks and writes as in the bounded run
  --seed S        replays a failure: the seed is in its line
  --keep          leave the working directories (those of failed cases are always left)
environment: OVERLAY_OUT     built tree, out/ of the repository by default
             OVERLAY_RUNNER  "none" tortures a plain directory, which tests the tests
             OVERLAY_ENGINE  another engine to load
TEXT
}

keep=no list=no minutes=0 scale=1 seed=$((RANDOM * 32768 + RANDOM)) patterns=()
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --list) list=yes ;;
        --minutes) shift; minutes=$1 ;;
        --iterations) shift; scale=$1 ;;
        --seed) shift; seed=$1 ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) patterns+=("$1") ;;
    esac
    shift
done

if [ $list = yes ]; then
    sed -nE 's/^case_([a-z0-9_]+)\(\) \{ # /\1: /p' "$here/cases.sh" | tr _ - | grep -v '^$'
    exit 0
fi
runner_check || exit 2
RUN=$(mktemp -d "${TMPDIR:-/tmp}/overlay-torture.XXXXXX")
export RUN
make -s -C "$here" OUT="$RUN/bin" || exit 2
# Agents of our own, which nobody else's test shall find.
export OVERLAY_RUNTIME_DIR=$RUN/agents
mkdir -m 700 "$OVERLAY_RUNTIME_DIR"

passed=0 failed=0
round() { # one pass over the cases; each in a directory of its own
    local name function began status
    for function in $(compgen -A function | grep '^case_' | sort); do
        name=$(echo "${function#case_}" | tr _ -)
        selected "$name" || continue
        CASE=$RUN/$name.$seed
        mkdir -p "$CASE"
        began=$SECONDS
        (cd "$CASE" && "$function") >"$CASE/out" 2>"$CASE/err"
        status=$?
        # The engine has nothing to say in a volume that is in order.
        if [ $status = 0 ] && [ -s "$CASE/overlay.log" ] && [ ! -e "$CASE/log-expected" ]; then
            status="0, but the engine logged something"
            sort "$CASE/overlay.log" | uniq -c | sort -rn | head -n 5 >>"$CASE/err"
        fi
        if [ "$status" = 0 ]; then
            passed=$((passed + 1))
            echo "ok $name ($(tail -n 1 "$CASE/out"); $((SECONDS - began)) s)"
            [ $keep = yes ] || rm -rf "$CASE"
        else
            failed=$((failed + 1))
            echo "FAIL $name: status $status; replay: tests/torture/run.sh --seed $seed --iterations $scale $name; in $CASE"
            { tail -n 15 "$CASE/out"; tail -n 40 "$CASE/err"; } | sed 's/^/     /'
        fi
    done
}

deadline=$((SECONDS + minutes * 60))
while :; do
    round
    [ "$SECONDS" -lt "$deadline" ] || break
    seed=$((seed + 1))
done
[ $keep = yes ] || [ "$failed" != 0 ] || rm -rf "$RUN"
[ ! -d "$RUN" ] || echo "working directories: $RUN"
echo "last seed $seed, iterations $scale"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
