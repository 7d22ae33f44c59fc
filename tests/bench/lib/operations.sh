# For calls.sh and profile.sh: a few sides in a scratch directory, and tools/operations.c to do one thing many times there.

. "$bench/lib/inputs.sh"
repository=$(cd "$bench/../.." && pwd)

operations_stop() {
    local side
    for side in "${operations_sides[@]}"; do "$bench/sides/$side.sh" stop "$work/$side"; done
    rm -rf --one-file-system "$work"
}

# operations_start SIDE...: sets `work`; all is undone when the script ends
operations_start() {
    operations_sides=("$@")
    work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-operations.XXXXXX")
    export BENCH_DISK=$work
    trap operations_stop EXIT
    trap 'exit 130' INT TERM
    "${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$work/operations" "$bench/tools/operations.c" || exit 2
    cut_to 4194304 "$work/text" all_text || exit 2
    local side
    for side; do
        mkdir "$work/$side"
        "$bench/sides/$side.sh" start "$work/$side" || exit 2
    done
}

# in_new_directory SIDE NAME FILES: sets `here`, with FILES small files and a large one, and `environment` of programs there
in_new_directory() {
    here=$(cat "$work/$1/root")/$2
    mapfile -t environment <"$work/$1/environment"
    mkdir "$here"
    env "${environment[@]}" "$work/operations" prepare "$here" "$3" "$work/text"
}
