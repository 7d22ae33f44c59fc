# about: fsx: a file against its copy in memory: read, write, map, truncate, punch, zero, copy; all block sizes (FSX=xfstests' fsx, built)
# limit: 10800

FSX_OPERATIONS=${FSX_OPERATIONS:-200000}

suite() {
    local size
    if [ ! -x "${FSX:-}" ]; then
        printf 'RESULT\tall\tskip: FSX does not name a built fsx\n'
        return
    fi
    for size in 4096 8192 16384 32768 65536 131072 262144 524288 1048576; do
        printf 'RESULT\tblocks of %s\t%s\n' "$size" "$(exercise "$size")"
    done
    # Not fsx -c: it drops the whole machine's caches each time it opens the file anew.
    printf 'RESULT\tnothing mapped\t%s\n' "$(at_work "$PWD/read" 6 -R -W)"
    printf 'RESULT\taligned\t%s\n' "$(at_work "$PWD/aligned" 7 -r 4096 -w 4096 -t 4096)"
    printf 'RESULT\tchecked after each operation\t%s\n' "$(FSX_OPERATIONS=20000 at_work "$PWD/checked" 8 -X)"
}

# A volume has one block size for its new files: for the others one is made outside, where the suite runs under Overlay.
exercise() {
    local volume=$SCRATCH/volume-$1 ctl
    if [ -z "${OVERLAY_VOLUMES:-}" ]; then
        at_work "$PWD/blocks-$1" "$1"
        return
    fi
    ctl=$(overlay_ctl)
    rm -rf "$volume" && head -c 32 /dev/urandom >"$SCRATCH/key"
    "$ctl" init "$volume" --block-size "$1" --key-file "$SCRATCH/key" >"$SCRATCH/init.log" 2>&1 || { echo "FAIL: no volume"; return; }
    export -f at_work
    export FSX FSX_OPERATIONS SCRATCH
    "$ctl" run --volume "$volume" --key-file "$SCRATCH/key" -- bash -c "at_work '$volume/file' '$1'"
}

# at_work FILE SEED OPTIONS...: with blocks' sizes as seeds, the file is some blocks long, or one and a half
at_work() {
    local file=$1 seed=$2 length
    shift 2
    length=$((seed * 4 < 300000 ? 300000 : seed * 4 < 1500000 ? seed * 4 : 1500000))
    if timeout 3000 "$FSX" -q -N "$FSX_OPERATIONS" -S "$seed" -l $length -o $((length / 5)) -P "$SCRATCH" "$@" "$file" >"$SCRATCH/$seed.log" 2>&1 </dev/null; then
        echo "ok"
    else
        echo "FAIL: status $?"
        tail -30 "$SCRATCH/$seed.log" >&2
    fi
    rm -f "$file"
}

# The one that belongs to the shim we are under.
overlay_ctl() {
    local shim=${LD_PRELOAD%%[: ]*}
    echo "${OVERLAY_CTL:-${shim%/lib/overlay/*}/bin/overlay-ctl}"
}
