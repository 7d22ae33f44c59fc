# about: the shell's own I/O: redirections, here-documents, subshells, shared offsets
# needs: bash

case_truncate_and_append() {
    echo "one $MARKER" >a
    echo "two $MARKER" >>a
    { echo three; echo four; } >>a
    cat <a
    : >b
    echo "again $MARKER" >a
    printf '%s' "no newline $MARKER" >c
    wc -c a b c
}

case_noclobber() {
    echo "first $MARKER" >a
    set -o noclobber
    status eval 'echo second >a' 2>&1 | sed 's/.*line [0-9]*: //'
    echo "forced $MARKER" >|a
    cat a
}

case_here_documents() {
    cat >a <<TEXT
a here-document of $MARKER
TEXT
    cat <<<"a here-string of $MARKER" >>a
    # More than a pipe holds, so that the shell has to use a file.
    big=$(head -c 200000 "$INPUTS/text.txt")
    cat >b <<TEXT
$big
TEXT
    read -r first <<<"$big"
    echo "$first" | cut -c 1-6
    checksum a b
}

case_descriptor_offsets() {
    printf '0123456789 %s\n' "$MARKER" >a
    exec 3<>a
    read -r -n 4 -u 3 start
    printf 'ABC' >&3
    read -r -u 3 rest
    exec 3>&-
    echo "$start|$rest"
    cat a
    # One open file description for a shell, its subshells and its children.
    exec 4>b
    echo "shell $MARKER" >&4
    (echo "subshell $MARKER" >&4; /bin/echo "child $MARKER" >&4)
    /bin/echo "last $MARKER" >&4
    exec 4>&-
    cat b
}

case_read_line_by_line() {
    head -n 300 "$INPUTS/text.txt" >a
    count=0
    while read -r number rest; do
        [ "$number" = 000099 ] && { head -c 20 | wc -c; }   # the child reads on where the shell stopped
        count=$((count + 1))
    done <a
    echo "$count"
    mapfile -t lines <a
    echo "${#lines[@]} ${lines[299]%% *}"
    diff <(sort -r a) <(tac a) && echo same
}

case_both_streams() {
    { echo "out $MARKER"; echo "err $MARKER" >&2; } &>a
    { echo "out $MARKER"; echo "err $MARKER" >&2; } &>>a
    { echo "out"; echo "err" >&2; } 2>b >c
    { echo "joined out"; echo "joined err" >&2; } >d 2>&1
    cat a b c d
}

case_pipes_and_subshells() {
    cat "$INPUTS/text.txt" | tee a | (head -n 10 >b; cat >c)
    (cd / && echo "from the root" >"$OLDPWD/d")
    echo $(<d) | cat - b | tail -n 2 >e
    checksum a d
    wc -l b e
}

case_append_by_many() {
    for writer in 1 2 3 4 5 6; do
        (for line in $(seq 50); do echo "writer $writer line $line $MARKER"; done >>log) &
    done
    wait
    sort log | checksum
    volatile 'case_append_by_many/log'
    # Many writers on one offset, as in make -j >log.
    for writer in 1 2 3 4; do
        (for line in $(seq 50); do echo "writer $writer line $line $MARKER"; done) &
    done >shared
    wait
    sort shared | checksum
    volatile 'case_append_by_many/shared'
}

case_tests_and_globs() {
    echo x >file; : >empty; mkdir sub; ln -s file link; touch -d '2001-01-01' old
    for name in file empty sub link old missing; do
        for test in e f d L s r w x k; do [ -$test $name ] && printf '%s:%s ' "$name" "$test" || :; done
    done
    echo
    [ file -nt old ] && echo newer; [ file -ef link ] && echo same
    echo *; echo .*
}

case_script_from_the_volume() {
    printf 'echo "sourced %s"\nreturn 3\n' "$MARKER" >lib
    status . ./lib
    printf 'echo "argument $1"; exit 5\n' >script
    status bash script hello
    status bash <script
    status bash script again
}
