# What a workload may use. The driver has set: side, root (where the side is used), here (the workload's directory in it),
# round, side_environment, inputs, tools, outside (a directory beside the sides), megabytes, files, times.

# on_side COMMAND...: as a program of the side
on_side() { env "${side_environment[@]}" "$@"; }

value() { echo "$round $side $workload $1 $2 $3" >>"$results"; }

# rows TOOL ARGUMENTS...: runs a measuring program there, and keeps the rows that it prints
rows() {
    local output row unit number tool=$1
    shift
    output=$(on_side timeout -k 5 120 "$tools/$tool" "$@" 2>"$outside/complaint") || {
        echo "$side: $tool $1 $2: failed: $(tail -n 1 "$outside/complaint")" >&2
        return 1
    }
    while read -r row unit number; do value "$row" "$unit" "$number"; done <<<"$output"
}

# timed ROW TIMES COMMAND...: from start to exit, in the median
timed() {
    local output
    output=$(ENVIRONMENT=$(printf '%s\n' "${side_environment[@]}") "$tools/timed" "$@" 2>"$outside/complaint") || {
        echo "$side: $1: failed: $(tail -n 1 "$outside/complaint")" >&2
        return 1
    }
    # shellcheck disable=SC2086
    value $output
}

# Nobody pays for what another has left to be written.
settle() { sync -f "$root"; sync -f "$outside"; }

# Nothing is in memory. False where that is not allowed.
cold() {
    settle
    { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null
}
