# about: A database file of 64 MB (small: 8 MB) at random places, in calls of 4 KiB and 16 KiB: read, write, seven reads to three writes, hot and cold
scope=matrix

# The large file is greater than what Overlay's block cache begins with, 32 MiB; the small one is not. Hot reads have been going on for a while; of
# writes, both are shown: those that come to a place for the first time, and those of a file that has been written at random before.
prepare() {
    on_side cp "$inputs/database" "$here/file" && on_side dd if="$inputs/database" of="$here/small" bs=1M count=$((megabytes / 8)) status=none
}

# Data is cold; programs are not, as those of a daemon are not.
warm_programs() { BENCH_BOX=0.01 on_side "$tools/random" mixed warm "$here/small" 4096 "$inputs/database" 0 >/dev/null; }

measure() {
    local kind
    on_side cat "$here/file" >/dev/null
    on_side cat "$here/small" >/dev/null
    rows random read "random-read-4k-small-file" "$here/small" 4096 "$inputs/database" 2
    # Again: a machine that takes pages back from the page cache as soon as nobody uses them has begun with the large file meanwhile.
    on_side cat "$here/file" >/dev/null
    rows random read "random-read-4k-first" "$here/file" 4096 "$inputs/database" 0
    rows random write "random-write-4k" "$here/file" 4096 "$inputs/database" 0
    rows random write "random-write-16k" "$here/file" 16384 "$inputs/database" 0
    settle
    for kind in read mixed; do
        rows random $kind "random-$kind-4k" "$here/file" 4096 "$inputs/database" 2
        rows random $kind "random-$kind-16k" "$here/file" 16384 "$inputs/database" 2
        settle
    done
    is_variant "$side" && return
    rows random write "random-write-4k-again" "$here/file" 4096 "$inputs/database" 2
    settle
    rows random sync "random-write-4k-fdatasync" "$here/file" 4096 "$inputs/database" 0
    for kind in read mixed write; do
        cold && warm_programs && rows random $kind "random-$kind-4k-cold" "$here/file" 4096 "$inputs/database" 0
        cold && warm_programs && rows random $kind "random-$kind-16k-cold" "$here/file" 16384 "$inputs/database" 0
    done
}
