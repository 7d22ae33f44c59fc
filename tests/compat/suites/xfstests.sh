# about: small programs of xfstests: holes and SEEK_DATA, mappings against direct and vectored I/O, truncation, directories, splice (XFSTESTS=their built src)
# packages: procps
# limit: 1800

suite() {
    if [ ! -x "${XFSTESTS:-}/seek_sanity_test" ]; then
        printf 'RESULT\tall\tskip: XFSTESTS does not name built programs of xfstests\n'
        return
    fi
    ran seek_sanity_test file
    run looptest -i 3000 -r -w -b 8192 -s file
    run looptest -i 1000 -t -r -w -s -b 102400 file
    for pages in 1 16 256; do
        run holetest -f file $pages
        run holetest -fw file $pages
        run holetest -fF file $pages
    done
    run t_mmap_fallocate file 256
    make file 1048576 && run mmap-rw-fault file
    run mmap-rw-fault -2 file
    run splice-test -s 4096 file
    make file 100 && run t_truncate_cmtime file
    run multi_open_unlink -f names -n 20 -s 1
    run fsync-tester -s 1 -t 1 file
    for number in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do run fsync-tester -s 1 -t $number file; done
    run dirstress -d dirs -f 200 -p 3 -n 2
    run t_dir_offset2 readdir
    run rewinddir-test readdir
    make file 65536 && run writev_on_pagefault -i 3 file
    run pwrite_mmap_blocked file
    run dio-append-buf-fault file
    make source 65536 && run dio-buf-fault source target
    run t_futimens file
    run t_holes file
    run holes -l 1000000 -b 4096 -i 2 file
    make file 300000 && run punch-alternating file
    run attr_replace_test -m 1000 file
    run truncfile -c 50000 file
    run iopat file
}

make() { rm -rf "$1" && head -c "$2" /dev/zero | tr '\0' a >"$1"; }

# run PROGRAM ARGUMENTS...: its status, and what it says where that does not change from run to run
run() {
    local status=0 argument
    for argument; do
        case $argument in dirs | readdir | names) mkdir -p "$argument" ;; esac
    done
    timeout 120 "$XFSTESTS/$1" "${@:2}" >"$SCRATCH/out" 2>&1 </dev/null || status=$?
    [ $status = 0 ] || { echo "== $*"; tail -20 "$SCRATCH/out"; } >&2
    printf 'RESULT\t%s\tstatus %s\n' "$*" $status
    for argument in "${@:2}"; do
        case $argument in file | source | target | dirs | readdir | names) rm -rf "$argument" ;; esac
    done
}

# ran PROGRAM FILE: one line a check, "03.04 what is expected and found     succ"
ran() {
    timeout 600 "$XFSTESTS/$1" "$2" >"$SCRATCH/out" 2>&1
    printf 'RESULT\t%s\tstatus %s\n' "$1" $?
    sed -nE "s/^([0-9]+\.[0-9]+) .* ([a-z]+) *$/RESULT\t$1 \1\t\2/p" "$SCRATCH/out"
    rm -f "$2"
}
