# about: sort -o, split, csplit, tee, head, tail, shuf and friends
# needs: sort split csplit tee tac

case_sort_in_place() {
    tac "$INPUTS/text.txt" >a
    sort -o a a
    cmp a "$INPUTS/text.txt" && echo sorted
    # A small buffer makes it use temporary files, here on the volume.
    tac "$INPUTS/text.txt" | sort -S 50k -T . -o b
    sort -k 3 -u -o c a
    sort -m -o d a b
    sort -c a && echo "in order"
    ls; wc -l a b c d
}

case_split() {
    split -b 100000 -d "$INPUTS/random.bin" part.
    cat part.* | cmp - "$INPUTS/random.bin" && echo joined
    split -l 1000 "$INPUTS/text.txt" lines.
    split -n 4 "$INPUTS/text.txt" quarter.
    split -n l/3 --additional-suffix=.txt "$INPUTS/text.txt" third.
    split -b 50k --filter='cat >$FILE.out' "$INPUTS/text.txt" filtered.
    cat filtered.* | cmp - "$INPUTS/text.txt" && echo joined
    wc -c ./*
}

case_csplit() {
    csplit -s -n 3 -f cut. "$INPUTS/text.txt" 1000 2000 '/004000 /'
    wc -l cut.*
    cat cut.* | cmp - "$INPUTS/text.txt" && echo joined
}

case_tee() {
    echo "one $MARKER" | tee a b c >/dev/null
    echo "two $MARKER" | tee -a a b
    seq 20000 | tee d e | tail -n 1
    checksum a b c d e
}

case_head_and_tail() {
    cp "$INPUTS/text.txt" a
    head -c 10 a
    echo
    head -n -6998 a | cut -c 1-6
    tail -n 2 a | cut -c 1-6
    tail -c 20 a | wc -c
    tail -n +6999 a | cut -c 1-6
    tail -c +500001 a | checksum
    cp a b; (sleep 0.3; echo "appended $MARKER" >>b; sleep 0.3; echo "end" >>b) &
    timeout 20 tail -n 0 -f b | sed '/^end$/q'
    wait
}

case_filters() {
    cp "$INPUTS/text.txt" a
    cut -d ' ' -f 3 a >b; sort b | uniq -c >c; tr a-z A-Z <b >d; fold -w 7 d >e; nl e >f; paste b d >g
    join -1 1 -2 1 a a >h; comm -12 a a >i; expand g >j; fmt a >k; pr -l 60 -D x a >l; rev a >m; od -c a >n; base64 a >o
    base64 -d o | cmp - a && echo "base64 back"
    shuf --random-source="$INPUTS/random.bin" a >p; sort p | cmp - a && echo "shuffled"
    checksum ./*
}

case_digests() {
    cp "$INPUTS/random.bin" a; cp "$INPUTS/text.txt" b
    for program in md5sum sha1sum sha256sum sha512sum b2sum cksum sum; do $program a b; done
    sha256sum a b >sums; sha256sum -c sums
    printf 'x' >>b; status sha256sum --quiet -c sums 2>&1
}

case_comparisons() {
    cp "$INPUTS/random.bin" a; cp a b; printf X | dd of=b bs=1 seek=123456 conv=notrunc status=none
    status cmp a b; status cmp -s a b; { cmp -l a b || :; } | wc -l
}

case_stdio_append() {
    for i in $(seq 200); do printf '%05d %s\n' "$i" "$MARKER" >>a; done
    wc -l a; checksum a
    cat a a a >>b; cat b >>c; checksum b c
    status cat a >>a 2>&1
    checksum a
}
