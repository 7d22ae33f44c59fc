# about: cp, install, mv, ln, rm of files and trees
# needs: cp install mv ln sha256sum

case_copy_tree() {
    cp -a "$INPUTS/doc" doc
    (cd "$INPUTS/doc" && find . -type f -exec sha256sum {} + | sort -k 2) >sums
    (cd doc && sha256sum --quiet -c ../sums) && echo "all match"
    cp -a doc doc2
    diff -r --no-dereference doc doc2 && echo "copies match"
    checksum sums
}

case_copy_options() {
    cp "$INPUTS/text.txt" a
    cp -p "$INPUTS/text.txt" b
    cp --preserve=timestamps a c
    cp --attributes-only b d
    cp -u a b
    cp -n "$INPUTS/random.bin" a
    cp -b "$INPUTS/random.bin" c
    cp --remove-destination a d
    cp -l a e
    cp -s "$PWD/a" f
    cp "$INPUTS/text.txt" "$INPUTS/random.bin" "$INPUTS/marker" /dev/null ./ 2>/dev/null || echo refused
    cp a a 2>&1 || echo "same file"
    stat -c '%n %s %h %a' -- *
}

case_reflink() {
    cp "$INPUTS/text.txt" a
    status cp --reflink=auto a b
    cmp a b && echo same
}

case_sparse() {
    cp --sparse=always "$INPUTS/sparse.bin" a
    cp --sparse=never a b
    cp --sparse=auto a c
    cmp a b && cmp a c && cmp a "$INPUTS/sparse.bin" && echo same
    stat -c '%n %s' a b c
    cp a "$OUTSIDE/outside" && cmp a "$OUTSIDE/outside" && echo "out and back"
}

case_install() {
    install -m 640 "$INPUTS/text.txt" a
    install -D -m 755 "$INPUTS/random.bin" deep/er/b
    install -C -m 640 "$INPUTS/text.txt" a
    install -b -m 600 "$INPUTS/marker" a
    install -p -m 644 "$INPUTS/text.txt" c
    find . -type f -printf '%P %m %s\n' | sort
}

case_move_inside() {
    cp -r "$INPUTS/small" small
    mv small/file-299 there
    mkdir d
    mv small d/
    mv -n there d/small/file-000 2>/dev/null || echo "kept the old"
    mv -b there d/small/file-001
    mv -T d/small tree
    ls tree | wc -l
    ls tree/file-001*
}

case_move_across_the_border() {
    cp "$INPUTS/text.txt" a
    ln a a2
    mv a "$OUTSIDE/moved"
    checksum <"$OUTSIDE/moved"
    stat -c %s a2
    rm a2   # a mv in a plain directory keeps the link, one across a border cannot
    mv "$OUTSIDE/moved" back
    cp -r "$INPUTS/small" "$OUTSIDE/small"
    mv "$OUTSIDE/small" tree
    mv tree "$OUTSIDE/tree"
    mv "$OUTSIDE/tree" tree
    ls tree | wc -l
    cat tree/* back | checksum
}

case_link_across_the_border() {
    echo "outside" >"$OUTSIDE/target"
    echo "inside $MARKER" >a
    ln -s "$OUTSIDE/target" out
    cat out
    ln -s "$PWD/a" "$OUTSIDE/in"
    cat "$OUTSIDE/in"
    echo "through a link $MARKER" >>"$OUTSIDE/in"
    cat a
}

case_hard_links() {
    echo "linked $MARKER" >a
    ln a b
    ln b c
    echo "more $MARKER" >>c
    stat -c '%n %h %s' a b c
    rm a
    cat b
    stat -c '%n %h %s' b c
    ln -f c b 2>&1 || echo "same file"
    cp -al . ../links
    find ../links -type f -links +1 | sort
    rm -r ../links
}

case_symbolic_links() {
    echo "target $MARKER" >a
    ln -s a s; ln -s s t; ln -s missing broken; ln -sf a s; ln -sT /nowhere abs
    readlink s t broken abs
    cat t
    status cat broken 2>&1
    echo "written through" >t
    cat a
    ls -F
    realpath --relative-to=. t
}

case_remove() {
    cp -r "$INPUTS/small" small
    rm small/file-1*
    ls small | wc -l
    rm -rf small
    status ls small 2>&1
    echo "kept while open $MARKER" >a
    exec 3<a
    rm a
    cat <&3
    exec 3<&-
    : >b; unlink b; mkdir d; rmdir d; ls -A
}
