# about: 1, 2 and 8 processes at random 4 KiB places of one file, and of a file each: calls a second of all together
scope=main

prepare() {
    local number
    on_side cp "$inputs/database" "$here/file"
    for number in 1 2 3 4 5 6 7 8; do
        on_side dd if="$inputs/database" of="$here/file-$number" bs=1M count=8 status=none
    done
}

measure() {
    local kind number
    settle
    on_side cat "$here"/file* >/dev/null
    for kind in read write; do
        for number in 1 2 8; do
            rows parallel $kind "$kind-one-file-$number" $number "$inputs/database" "$here/file"
            rows parallel $kind "$kind-own-files-$number" $number "$inputs/database" "$here"/file-[1-8]
        done
        settle
    done
}
