#!/usr/bin/env bash
# make bench: the same workloads on a plain directory, Overlay and its peers, in turn, in several rounds. README.md has the layout.
set -u
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$bench/../programs/lib/runner.sh"
. "$bench/lib/inputs.sh"
. "$bench/lib/measure.sh"
. "$bench/lib/machine.sh"

usage() {
    cat <<'END'
usage: bench.sh [OPTION]...
  --quick              one round, small data: does it work? Its figures mean nothing
  --rounds N           rounds; the median of each figure counts (default 3)
  --side NAME          this side only, and plain; may be given several times. Names: files of sides/
  --workload PATTERN   workloads with this in their names; may be given several times. Names: files of workloads/
  --json FILE          write the result there as JSON
  --document DIR       write DIR/benchmarks.md, DIR/benchmarks.svg and DIR/benchmarks.json
  --directory DIR      measure on DIR's file system; otherwise root measures on a new ext4 on a loop device below TMPDIR,
                       so that all sides start alike, and others in TMPDIR
END
}

rounds=3 megabytes=64 files=10000 times=40 pgbench_seconds=2 chosen_sides=() patterns=() json='' document='' directory=''
export BENCH_BOX=0.15
while [ $# -gt 0 ]; do
    case $1 in
        --quick) rounds=1 megabytes=4 files=200 times=5 pgbench_seconds=1 BENCH_BOX=0.02 ;;
        --rounds) shift; rounds=$1 ;;
        --side) shift; chosen_sides+=("$1") ;;
        --workload) shift; patterns+=("$1") ;;
        --json) shift; json=$1 ;;
        --document) shift; document=$1 ;;
        --directory) shift; directory=$1 ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

work='' started=()
cleanup() {
    trap '' INT TERM
    local side
    for side in "${started[@]}"; do "$bench/sides/$side.sh" stop "$area/$side" </dev/null; done
    [ -z "$work" ] || remove_area
    [ -z "$work" ] || rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "$(date +%T) $*" >&2; }

build_tools() {
    local source
    tools=$work/tools
    mkdir "$tools"
    cp "$bench"/tools/*.py "$tools/"
    for source in "$bench"/tools/*.c; do
        "${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$tools/$(basename "$source" .c)" "$source" || exit 2
    done
    ! selected codec || dotnet build "$bench/micro" -c Release -v q --nologo -o "$tools/benchmarks" >"$work/build.log" 2>&1 || tail -n 3 "$work/build.log"
}

side_chosen() {
    local name
    [ ${#chosen_sides[@]} = 0 ] || [ "$1" = plain ] && return 0
    for name in "${chosen_sides[@]}"; do [ "$name" = "$1" ] && return 0; done
    return 1
}

# A peer that cannot be installed is skipped later, with its reason.
install_peers() {
    local file missing=''
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    for file in "$bench"/sides/*.sh; do
        side_chosen "$(basename "$file" .sh)" || continue
        for package in $("$file" packages); do
            dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
        done
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    apt-get update -qq
    for package in $missing; do
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
    done
}

start_sides() {
    local file side why
    sides=()
    for file in "$bench/sides/plain.sh" "$bench/sides/overlay.sh" "$bench"/sides/*.sh; do
        side=$(basename "$file" .sh)
        side_chosen "$side" || continue
        case " ${started[*]} " in *" $side "*) continue ;; esac
        mkdir -p "$area/$side"
        why=$("$file" reason "$area/$side" | head -n 1)
        if [ -z "$why" ]; then
            say "starting $side"
            started+=("$side")
            "$file" start "$area/$side" </dev/null || why="did not start: $(tail -n 1 "$area/$side/log" 2>/dev/null)"
        fi
        if [ -z "$why" ]; then
            sides+=("$side")
            printf '%s\t%s\t%s\n' "$side" "$("$file" kind)" "$("$file" version)" >>"$work/sides"
        else
            echo "skipped: $side: $why"
            printf '%s\tskipped\t%s\n' "$side" "$why" >>"$work/sides"
        fi
    done
}

is_variant() { [[ $1 == overlay-* || $1 == btrfs-lzo ]]; } # a second cipher or compression

# in_scope SIDE SCOPE: matrix: all; main: no variants; untouched: plain and Overlay; codec: no file system, so plain's turn alone
in_scope() {
    case $2 in
        matrix) return 0 ;;
        main) ! is_variant "$1" ;;
        codec) [ "$1" = plain ] ;;
        *) [ "$1" = plain ] || [ "$1" = overlay ] ;;
    esac
}

# on_each_side VERB SIDE...: the workload's function, in a shell of its own. A side where it cannot be prepared is left out.
on_each_side() {
    local verb=$1 side root here
    shift
    for side; do
        [ -z "${unprepared[$side]:-}" ] || continue
        say "$workload: $verb${round:+ $round}: $side"
        mapfile -t side_environment <"$area/$side/environment"
        root=$(cat "$area/$side/root") here=$root/$workload
        (mkdir -p "$here" && "$verb") || [ "$verb" = measure ] || {
            echo "skipped: $workload: $side: it could not be prepared"
            unprepared[$side]=yes
        }
    done
}

run_workload() { # FILE
    local workload scope='' index why round=''
    workload=$(basename "$1" .sh)
    selected "$workload" || return 0
    reason() { :; }
    prepare() { :; }
    . "$1"
    why=$(reason)
    [ -z "$why" ] || { echo "skipped: $workload: $why"; return; }
    printf '%s\t%s\n' "$workload" "$(sed -n 's/^# about: //p' "$1")" >>"$work/workloads"
    local here_sides=()
    local -A unprepared=()
    for side in "${sides[@]}"; do in_scope "$side" "$scope" && here_sides+=("$side"); done
    on_each_side prepare "${here_sides[@]}"
    for ((round = 1; round <= rounds; round++)); do
        index=$(((round - 1) * 2 % ${#here_sides[@]}))
        on_each_side measure "${here_sides[@]:index}" "${here_sides[@]:0:index}"
    done
}

# A function, so that the shell has read all of this file before it begins.
main() {
    runner_check || exit 2
    work=$(mktemp -d "${directory:-${TMPDIR:-/tmp}}/overlay-bench.XXXXXX")
    outside=$work/outside inputs=$work/inputs results=$work/results
    export BENCH_DISK=$outside
    mkdir "$outside"
    : >"$results"
    install_peers
    build_tools
    "$tools/touch" || exit 2
    make_area || exit 2
    say "making the inputs"
    make_inputs "$inputs" $megabytes || exit 2
    facts >"$work/facts"
    start_sides
    for file in sequential random append small_files processes trees sqlite postgresql startup untouched scale codec; do
        run_workload "$bench/workloads/$file.sh"
    done
    printf 'load at the end\t%s\n' "$(cut -d' ' -f 1-3 /proc/loadavg)" >>"$work/facts"
    "$bench/report/__main__.py" "$work" ${json:+--json "$json"} ${document:+--document "$document"}
}

main
exit
