# about: dd with seek, skip, notrunc, sparse, append, fsync and odd block sizes
# needs: dd

case_seek_and_skip() {
    dd if="$INPUTS/random.bin" of=a bs=4096 status=none
    dd if="$INPUTS/text.txt" of=a bs=1000 seek=33 count=7 skip=5 conv=notrunc status=none
    stat -c %s a; checksum a
    dd if="$INPUTS/text.txt" of=a bs=1000 seek=900 count=3 conv=notrunc status=none
    stat -c %s a; checksum a
    dd if="$INPUTS/text.txt" of=a bs=512 seek=10 count=1 status=none
    stat -c %s a; checksum a
    dd if=a of=b bs=3k skip=1 count=1 status=none; stat -c %s b
    dd if=a of=c bs=1 skip=5000 count=200 status=none; checksum c
}

case_block_sizes() {
    for size in 1 13 511 4095 4096 4097 16383 16384 16385 65536 1M; do
        head -c 40000 "$INPUTS/random.bin" | dd of=f$size bs=$size iflag=fullblock status=none
        cmp -n 40000 f$size "$INPUTS/random.bin" || echo "differs at $size"
    done
    checksum ./* | cut -d ' ' -f 1 | sort -u
}

case_holes() {
    dd if="$INPUTS/sparse.bin" of=a bs=64k conv=sparse status=none
    stat -c %s a; cmp a "$INPUTS/sparse.bin" && echo same
    dd if=/dev/null of=b bs=1M seek=50 status=none; stat -c %s b
    printf 'end %s' "$MARKER" | dd of=b bs=1 seek=40000000 conv=notrunc status=none
    stat -c %s b; checksum b
    dd if=b of=c bs=1M skip=30 conv=sparse status=none; stat -c %s c; checksum c
}

case_sync_and_flags() {
    dd if="$INPUTS/text.txt" of=a bs=10000 conv=fsync status=none
    dd if="$INPUTS/text.txt" of=b bs=10000 conv=fdatasync status=none
    dd if="$INPUTS/text.txt" of=c bs=10000 oflag=sync status=none
    dd if="$INPUTS/marker" of=a oflag=append conv=notrunc status=none
    dd if=a of=d bs=999 conv=ucase status=none
    dd if=a of=e bs=1000 conv=swab status=none
    status dd if=a of=b conv=excl status=none 2>&1
    dd if=a of=f ibs=700 obs=1300 count=50 status=none
    dd if=a of=g bs=4096 conv=nocreat,notrunc status=none 2>&1 || echo "not created"
    dd if=a of=h bs=7 skip=100 iflag=skip_bytes count=77 status=none
    checksum a b c d e f h
}

case_direct() {
    dd if="$INPUTS/random.bin" of=a bs=4096 count=100 status=none
    dd if=a of=b bs=4096 iflag=direct oflag=direct status=none
    cmp a b && echo same
}

case_rewrite_in_place() {
    cp "$INPUTS/text.txt" a
    for i in $(seq 60); do
        printf '%03d %s' "$i" "$MARKER" | dd of=a bs=64 seek=$((i * 137)) conv=notrunc status=none
    done
    stat -c %s a; checksum a
}

case_interrupted_reader() {
    cp "$INPUTS/text.txt" a
    dd if=a bs=1k count=3 status=none | checksum
    { dd bs=10 count=2 status=none; cat; } <a | checksum
    dd if=a of=/dev/null bs=1 count=0 status=none
}
