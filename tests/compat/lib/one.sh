# One suite, from its packages to a verdict. Both runs use the same path one after the other, so that what prints paths
# prints the same.

# run_suite NAME: 0 no unexplained difference, 77 skipped
run_suite() {
    local name=$1 file=$here/suites/$1.sh work=$RUN/$1 reason
    mkdir -p "$work"
    export SCRATCH=${OVERLAY_COMPAT_SCRATCH:-$RUN}/$name.scratch
    mkdir -p "$SCRATCH"
    # shellcheck disable=SC2046
    if ! reason=$(install_packages $(header "$file" packages)); then
        echo "skip $name ($reason)"
        return 77
    fi
    if ! (cd "$SCRATCH" && "$here/lib/call.sh" "$file" prepare) </dev/null >"$work/prepare.log" 2>&1; then
        echo "FAIL $name: cannot be prepared"
        tail -n 8 "$work/prepare.log" | sed 's/^/     /'
        return 1
    fi
    (cd "$SCRATCH" && "$here/lib/call.sh" "$file" version) </dev/null 2>/dev/null | head -n 1 >"$work/version"
    run_both "$file" "$work"
    "$here/lib/compare.py" "$name" "$work" "$here/explained.tsv" >"$work/verdict"
    local status=$?
    cat "$work/verdict"
    # Of a run of plain against plain nothing is to be reported.
    [ "$OVERLAY_RUNNER" = none ] || cp "$work/result.json" "$results/$name.json"
    [ $status != 0 ] || [ $keep = yes ] || rm -rf "$work"
    return $status
}

run_both() {
    local file=$1 work=$2 directory=$2/dir limit
    limit=$(header "$file" limit)
    mkdir "$directory"
    timed "$work/plain" timeout -k 10 "${limit:-600}" "$here/lib/call.sh" "$file" suite "$directory"
    mv "$directory" "$work/plain.dir"
    new_key "$work/key"
    new_volume "$directory" "$work/key" >"$work/init.log" 2>&1 || return
    timed "$work/sealed" in_volume "$directory" "$work/key" \
        timeout -k 10 "${limit:-600}" "$here/lib/call.sh" "$file" suite "$directory"
    : >"$work/not-sealed"
    [ "$OVERLAY_RUNNER" != overlay ] || "$here/../programs/lib/check_sealed.py" "$directory" >"$work/not-sealed" 2>&1
}

# timed PREFIX COMMAND...: PREFIX.out, .log, .status and .seconds
timed() {
    local prefix=$1 started=$EPOCHREALTIME status=0
    shift
    "$@" </dev/null >"$prefix.out" 2>"$prefix.log" || status=$?
    echo $status >"$prefix.status"
    echo "$EPOCHREALTIME - $started" | bc >"$prefix.seconds"
}
