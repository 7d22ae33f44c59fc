#!/usr/bin/env bash
# Runs what others wrote (test suites, servers, tools) once in a plain directory and once in a volume, and compares result by result.
# What a suite is, and how to write one: tests/compat/README.md.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../programs/lib/runner.sh"
. "$here/lib/packages.sh"
. "$here/lib/one.sh"

usage() {
    cat <<'TEXT'
usage: run.sh [--list] [--keep] [SUITE...]
  SUITE   only suites whose name contains it (a shell pattern works too)
  --keep  leave all working directories (those of suites with unexplained differences are always left)
environment: OVERLAY_OUT             built tree, out/ of the repository by default; results go to its compat/
             OVERLAY_RUNNER          "none" runs plain against plain: is the suite itself sound?
             OVERLAY_COMPAT_SCRATCH  keep sources and builds of the suites here, for the next time
TEXT
}

keep=no list=no patterns=()
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --list) list=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) patterns+=("$1") ;;
    esac
    shift
done

# An exact name means that one alone.
selected_suite() {
    local pattern
    [ ${#patterns[@]} = 0 ] && return 0
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053
        if [ -e "$here/suites/$pattern.sh" ]; then [ "$1" = "$pattern" ]; else [[ $1 == *$pattern* ]]; fi && return 0
    done
    return 1
}

suites=()
for file in "$here"/suites/*.sh; do
    name=$(basename "$file" .sh)
    selected_suite "$name" && suites+=("$name")
done
if [ $list = yes ]; then
    for name in "${suites[@]}"; do printf '%-20s %s\n' "$name" "$(header "$here/suites/$name.sh" about)"; done
    exit 0
fi
[ ${#suites[@]} -gt 0 ] || { echo "no such suite" >&2; exit 2; }
runner_check || exit 2

RUN=$(mktemp -d "${TMPDIR:-/tmp}/overlay-compat.XXXXXX")
chmod 755 "$RUN" # some suites drop privileges
results=$OVERLAY_OUT/compat
mkdir -p "$results"
passed=0 failed=0 skipped=0
for name in "${suites[@]}"; do
    run_suite "$name"
    case $? in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;;
        *) failed=$((failed + 1)) ;;
    esac
done
[ $keep = yes ] || [ $failed != 0 ] || rm -rf "$RUN"
[ -d "$RUN" ] && echo "working directories: $RUN"
[ $skipped = 0 ] || echo "$skipped skipped (see above)"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
