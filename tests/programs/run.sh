#!/usr/bin/env bash
# Runs real programs twice, in a plain directory and in a volume, and compares everything that can be seen.
# What a scenario is, and how to write one: tests/programs/README.md.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/runner.sh"
. "$here/lib/judge.sh"
. "$here/lib/one.sh"

usage() {
    cat <<'TEXT'
usage: run.sh [--list] [--keep] [--jobs N] [PATTERN...]
  PATTERN   only scenarios whose name contains it (a shell pattern works too)
  --keep    leave all working directories (those of failed scenarios are always left)
  --jobs N  scenarios at a time, 2 by default
environment: OVERLAY_OUT     built tree, out/ of the repository by default
             OVERLAY_RUNNER  "none" runs plain against plain, which tests the suite itself;
                             "shim" plain against the shim with its volume elsewhere: it must pass everything through
             OVERLAY_INIT_ARGS  more arguments for overlay-ctl init, such as "--cipher aegis-256"
TEXT
}

keep=no list=no jobs=2 patterns=()
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --list) list=yes ;;
        --jobs) shift; jobs=$1 ;;
        --jobs=*) jobs=${1#*=} ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) patterns+=("$1") ;;
    esac
    shift
done

scenarios=()
for file in "$here"/scenarios/*.sh; do
    name=$(basename "$file" .sh)
    selected "$name" && scenarios+=("$name")
done
if [ $list = yes ]; then
    for name in "${scenarios[@]}"; do
        printf '%-20s %s\n' "$name" "$(sed -n 's/^# about: //p' "$here/scenarios/$name.sh")"
    done
    exit 0
fi
runner_check || exit 2

RUN=$(mktemp -d "${TMPDIR:-/tmp}/overlay-programs.XXXXXX")
export RUN
build_tools "$RUN" || exit 2
chmod 755 "$RUN"   # some cases drop privileges
python3 "$here/lib/inputs.py" "$RUN/inputs" || exit 2

for name in ${scenarios[@]+"${scenarios[@]}"}; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    run_scenario "$name" &
done
wait

count() { cat "$RUN"/*.verdict 2>/dev/null | grep -c "^$1"; }
passed=$(count ok) failed=$(count FAIL) skipped=$(count skip)
[ $keep = yes ] || [ "$failed" != 0 ] || rm -rf "$RUN"
[ -d "$RUN" ] && echo "working directories: $RUN"
[ "$skipped" = 0 ] || echo "$skipped skipped for want of a program (see above)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
