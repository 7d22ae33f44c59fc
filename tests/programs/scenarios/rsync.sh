# about: rsync -a in, out and inside; --inplace, --append, --checksum, --delete
# needs: rsync

case_in_and_out() {
    rsync -a "$INPUTS/doc" "$INPUTS/small" .
    diff -r --no-dereference doc "$INPUTS/doc" && diff -r small "$INPUTS/small" && echo same
    rsync -ai "$INPUTS/doc" "$INPUTS/small" . | wc -l
    rsync -aic "$INPUTS/doc" "$INPUTS/small" . | wc -l
    rsync -a doc small "$OUTSIDE/"
    rsync -anic "$OUTSIDE/doc" "$OUTSIDE/small" "$INPUTS/" | wc -l
    rm -r "$OUTSIDE/doc"
}

case_inside() {
    cp -a "$INPUTS/small" small; ln small/file-100 small/hard; ln -s file-100 small/soft
    rsync -aH small/ copy/
    rm small/file-00*; echo "changed $MARKER" >small/file-050
    rsync -aHi --delete small/ copy/ | awk '!/\/$/ { print $NF }' | sort
    diff -r small copy && echo same; stat -c %h copy/hard
    rsync -a --backup --suffix=.old --link-dest="$PWD/copy" small/ snapshot/; stat -c %h snapshot/file-200
}

case_delta() {
    cp "$INPUTS/random.bin" a; cp "$INPUTS/random.bin" b
    printf 'changed %s' "$MARKER" | dd of=b bs=1 seek=300000 conv=notrunc status=none
    touch -d 2010-01-01 a
    touch -d 2011-01-01 b
    cp -p a c; cp -p a d
    rsync -t --no-whole-file b c; cmp b c && echo same
    rsync -t --inplace --no-whole-file b d; cmp b d && echo same
    head -c 500000 b >e; rsync --append b e; cmp b e && echo same
    head -c 500000 b >f; rsync --append-verify b f; cmp b f && echo same
    rsync --sparse "$INPUTS/sparse.bin" s; cmp s "$INPUTS/sparse.bin" && echo same
    rsync --inplace --sparse "$INPUTS/sparse.bin" s; cmp s "$INPUTS/sparse.bin" && echo same
    rsync --preallocate "$INPUTS/text.txt" t; cmp t "$INPUTS/text.txt" && echo same
    rsync --partial-dir=.partial --delay-updates "$INPUTS/text.txt" u; rsync -z --bwlimit=100m "$INPUTS/text.txt" v
    ls -A; checksum c d e f s t u v
}

