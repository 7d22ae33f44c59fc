# about: gzip, bzip2, xz, zstd, in place, in pipes and kept
# needs: gzip

# round_trip PROGRAM SUFFIX
round_trip() {
    cp -p "$INPUTS/text.txt" a; cp -p "$INPUTS/random.bin" b; chmod 640 a
    "$1" a b
    ls; stat -c '%n %a %Y' ./*
    "$1" -t "a.$2" && echo intact
    "$1" -dc "a.$2" | cmp - "$INPUTS/text.txt" && echo same
    "$1" -d "a.$2" "b.$2"
    cmp a "$INPUTS/text.txt" && cmp b "$INPUTS/random.bin" && echo same
    stat -c '%n %a %s %Y' ./*
    "$1" -kc a >c; "$1" -dc <c >d; cmp a d && echo same
    cat c c | "$1" -dc | checksum
    status "$1" -t a 2>&1
}

case_gzip() { round_trip gzip gz; gzip -l <c | wc -l; zcat c | head -n 1 | cut -c 1-6; zgrep -c 000123 c; }
case_bzip2() { need bzip2; round_trip bzip2 bz2; }
case_xz() { need xz; round_trip xz xz; }

case_zstd() {
    need zstd
    cp "$INPUTS/text.txt" a
    zstd -q --rm a
    zstd -qt a.zst
    zstd -qd a.zst
    cmp a "$INPUTS/text.txt"
    zstd -q --long -T2 -19 a -o b.zst
    zstd -qdc b.zst | checksum
}

case_damaged_archive() {
    cp -p "$INPUTS/text.txt" a; gzip a
    truncate -s -100 a.gz
    status gzip -t a.gz 2>&1
    status gzip -df a.gz 2>&1
    ls
}

case_recursive() {
    cp -a "$INPUTS/small" small
    gzip -r small; ls small | head -n 3; gunzip -r small; diff -r small "$INPUTS/small" && echo same
}
