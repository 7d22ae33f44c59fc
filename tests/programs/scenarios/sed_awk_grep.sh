# about: sed -i, awk, grep -r, cmp, diff and patch
# needs: sed awk grep diff

case_sed_in_place() {
    cp "$INPUTS/text.txt" a; chmod 640 a; ln a linked
    sed -i 's/block/BLOCK/g' a
    stat -c '%a %h %s' a linked
    sed -i.bak -e '1,100d' -e '$d' a
    sed -i -s '1i first line' a linked
    ln -s a soft; sed -i --follow-symlinks '$a last line' soft
    sed -n -i '1,2p;$p' linked
    sed 's/x/y/w written' a >b
    sed -n '/000200/{p;q}' a.bak | cut -c 1-6
    ls -F; wc -l a a.bak linked; checksum ./*
}

case_awk() {
    cp "$INPUTS/text.txt" a
    awk '{ count[$3]++ } END { for (word in count) print word, count[word] }' a | sort
    awk '{ print > ("out-" $3) } /page/ { print >> "page" }' a
    awk 'BEGIN { while ((getline line < "a") > 0) n++; close("a"); print n; print "x" | "cat >piped"; close("piped") }'
    awk 'NR == FNR { seen[$1]; next } $1 in seen { n++ } END { print n }' out-page a
    checksum ./*
}

case_grep() {
    cp -a "$INPUTS/doc" doc; cp -a "$INPUTS/small" small; cp "$INPUTS/random.bin" binary; cp "$INPUTS/text.txt" a
    grep -rl "$(cat "$INPUTS/marker")" . | sort | checksum
    grep -rc copyright doc | sort | checksum
    grep -rniE 'gnu (lesser )?general' doc | sort | checksum
    grep -n 000500 a | cut -c 1-12; grep -c tag a; grep -b 000500 a | cut -c 1-8; grep -A 1 -B 1 000500 a | wc -l
    grep -z -c plain a; grep -m 3 page a | wc -l; grep -q nothing-like-this a || echo "not there"
    echo "000400" >patterns; grep -f patterns a | wc -l
    grep -c . binary; grep -l page -- * 2>/dev/null || :
    status grep x missing 2>&1
    status grep -r '' a --include=a -c
    status eval 'grep page <a >>a' 2>&1
}

case_diff_and_patch() {
    need patch
    cp "$INPUTS/text.txt" old; sed -e '100s/page/leaf/' -e '200d' -e "300a added $MARKER" old >new
    diff -u --label old --label new old new >change || echo "they differ"
    diff -q old new || echo "they differ"
    cp old work; patch -s work change; cmp work new && echo patched
    patch -s -R work change; cmp work old && echo "and back"
    cp old other; sed -i '100s/.*/conflict/' other; status patch -s other change
    patch -s -b -o result old change; ls; diff -r . . && echo same
    mkdir d1 d2; cp old d1/f; cp new d2/f; diff -ru d1 d2 | wc -l
    sdiff -s old new | wc -l; diff3 new old other | head -n 1
    volatile 'case_diff_and_patch/*.rej'
}

case_comparing_binaries() {
    cp "$INPUTS/random.bin" a; cp a b; cmp a b && echo same
    printf 'Q' | dd of=b bs=1 seek=70000 conv=notrunc status=none
    status cmp a b; status diff a b; od -A d -t x1 -j 69990 -N 20 b; cmp -i 70001 a b && echo "same behind it"
    need xxd
    xxd a >x; xxd -r x | cmp - a && echo "xxd back"; strings -n 12 a | checksum; file -b "$INPUTS/text.txt" >/dev/null
}
