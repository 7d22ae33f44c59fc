# about: A database file of 64 MB (small: 8 MB) at random places, in calls of 4 KiB and 16 KiB: read, write, seven reads to three writes, hot and cold
scope=matrix

# The large file is greater than Overlay's block cache, which has 32 MiB; the small one is not.
prepare() {
    on_side cp "$inputs/database" "$here/file" && on_side dd if="$inputs/database" of="$here/small" bs=1M count=$((megabytes / 8)) status=none
}

measure() {
    local kind
    on_side cat "$here/file" >/dev/null
    on_side cat "$here/small" >/dev/null
    rows random read "random-read-4k-small-file" "$here/small" 4096 "$inputs/database"
    for kind in read mixed write; do
        rows random $kind "random-$kind-4k" "$here/file" 4096 "$inputs/database"
        rows random $kind "random-$kind-16k" "$here/file" 16384 "$inputs/database"
        settle
    done
    is_variant "$side" && return
    rows random sync "random-write-4k-fdatasync" "$here/file" 4096 "$inputs/database"
    for kind in read mixed write; do
        cold && rows random $kind "random-$kind-4k-cold" "$here/file" 4096 "$inputs/database"
        cold && rows random $kind "random-$kind-16k-cold" "$here/file" 16384 "$inputs/database"
    done
}
