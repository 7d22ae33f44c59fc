# about: what a program must not notice: hangs, SIGPIPE, address space limits, foreign libraries, descriptor limits
# needs: ls cat yes ldd
# case-limit: 240
# limit: 600

# The old deadlock: libselinux's constructor calls access() before the shim is up.
case_ls_1000_times() {
    mkdir d; echo "x $MARKER" >d/a; echo y >d/b; touch -d 2020-02-02 d/a d/b
    ldd "$(command -v ls)" | grep -q libselinux || echo "note: this ls has no libselinux" >>"$RESULTS/notes"
    for i in $(seq 1000); do timeout 10 ls -l d >out || { echo "run $i: status $?"; break; }; done
    wc -l out
}

case_programs_with_constructors() {
    echo "x $MARKER" >a
    for i in $(seq 60); do
        for program in cp mv mkdir stat id find; do
            case $program in
                cp) timeout 10 cp a b ;; mv) timeout 10 mv b c ;; mkdir) timeout 10 mkdir -p d ;;
                stat) timeout 10 stat a ;; id) timeout 10 id ;; find) timeout 10 find . ;;
            esac >/dev/null || echo "$program: status $?"
        done
    done
    cat c
}

# What a process ignores and catches. Not signals 32 and 33: posix_spawn leaves libc's own ones ignored in its child.
signals() {
    local name mask
    grep -E '^Sig(Ign|Cgt)' "$1" | while read -r name mask; do printf '%s %x\n' "$name" $((0x$mask & ~0x380000000)); done
}

case_sigpipe() {
    yes | head -n 1; echo "${PIPESTATUS[@]}"
    yes "$MARKER" >a & sleep 0.2; kill $!; { wait $!; } 2>/dev/null || echo "status $?"; truncate -s 200000 a
    cat a a a | head -n 1 | cut -c 1-6; cat a | head -c 10 >/dev/null; echo "${PIPESTATUS[@]}"
    # The disposition as the kernel has it, after the engine was loaded and used.
    python3 - <"$PARTS/engine_manners/dispositions.py"
    signals /proc/self/status
    sh -c 'cat a >/dev/null; cat /proc/$$/status >state'
    signals state
    rm state
}

case_address_space() {
    (
        ulimit -v 2000000
        cat "$INPUTS/text.txt" >a
        cmp a "$INPUTS/text.txt" && echo same
        sort -o b a
        gzip -nk b
        grep -c page a
        python3 -c 'print(len(open("a").read()))'
    )
    checksum a b
}

case_other_limits() {
    cp "$INPUTS/text.txt" a
    (ulimit -n 24; cat a | checksum; sort a | head -n 1 | cut -c 1-6)
    (ulimit -l 0; cat a | checksum); (ulimit -l 64; cp a c; cmp a c && echo same)
    (ulimit -s 256; cat a | checksum); (ulimit -c 0; ulimit -u 4000 2>/dev/null; cat a | checksum)
    # The kernel holds the limit against stored offsets, which lie further apart (README, Limits): only the refusal is the same.
    (ulimit -f 100; trap '' XFSZ; head -c 300000 "$INPUTS/random.bin" >limited) 2>/dev/null || echo "refused"
    rm limited
    (ulimit -f 2000; head -c 300000 "$INPUTS/random.bin" >allowed) && stat -c %s allowed
}

case_libraries() {
    cp "$INPUTS/text.txt" a
    # cat keeps the file open while its own mappings are looked at.
    mkfifo pipe; exec 3<>pipe; cat a - <pipe >/dev/null & reader=$!; sleep 0.7
    foreign='lib(crypto|ssl|sqlite3|e_sqlite3|icu[a-z]*)[^/]*$'
    grep -oE "$foreign" "/proc/$reader/maps" >found || echo "no foreign library"
    sort -u found
    echo end >&3; exec 3>&-; { kill $reader; wait $reader; } 2>/dev/null || :; rm pipe
}

case_children_and_descriptors() {
    cp "$INPUTS/text.txt" a
    exec 3<a
    read -r -u 3 line
    ls /proc/self/fd | head -n 20
    ls -l /proc/self/fd/3 | sed 's/.*-> //; s/.*vol/vol/'
    exec 3<&-
    python3 - <"$PARTS/engine_manners/descriptors.py"
}

case_environment() {
    echo "x $MARKER" >a
    env -i /bin/cat a
    env -i /bin/sh -c 'cat a; cat a >b; cat b'
    env -u LD_PRELOAD cat a
    cd / && cat "$VOLUME/case_environment/a" && cd "$VOLUME" && cat ./case_environment/../case_environment//a
}

case_other_user() {
    need_other_users
    echo "x $MARKER" >a
    chmod 755 .
    chmod 644 a
    setpriv --reuid 65534 --regid 65534 --clear-groups /bin/cat a 2>&1
}

case_threads_and_forks() {
    cp "$INPUTS/text.txt" a
    python3 -W ignore - <"$PARTS/engine_manners/threads_and_forks.py"
    checksum t0 t1 t2
}
