# about: Does the cost grow? Random 4 KiB at 64 places of sparse files of 1 MB to 50 GB; trees of 10 to 30,000 small files (BENCH_FILES=1000000 adds a row); 64 processes; memory of a process
scope=growth # plain and Overlay

measure() {
    local number
    settle
    for number in 1 64 1024 51200; do rows scale file "$here/$round" $number "$inputs/database"; done
    for number in 10 1000 $((files * 3)) ${BENCH_FILES:-}; do rows scale files "$number" "$here/tree" "$inputs/text"; done
    on_side cp "$inputs/database" "$here/file"
    rows scale memory "$here/file" "$inputs/text"
    on_side dd if="$inputs/database" of="$here/one" bs=1M count=1 status=none
    for number in 1 64; do
        rows parallel read "processes-$number-read" "$number" "$inputs/database" "$here/one"
        rows parallel write "processes-$number-write" "$number" "$inputs/database" "$here/one"
    done
}
