# about: private mappings of large files, which are filled when they are touched: stores, protections, moves, forks, signals, system calls, memory
# needs: cc python3
# limit: 900
# case-limit: 200

lazy="$PARTS/lazy_mappings"

run_program() {
    cc -O1 -D_GNU_SOURCE -Wall -Wextra -Werror -pthread -o "$OUTSIDE/program" "$lazy/$1.c"
    OUTSIDE_FILE="$OUTSIDE/copy" "$OUTSIDE/program"
    rm -f big "$OUTSIDE/program" "$OUTSIDE/copy"
}

case_memory() { run_program memory; }

case_calls() { run_program calls; checksum copy; }

case_signals() { run_program signals; }

case_strict() {
    export OVERLAY_STRICT=1
    run_program memory; run_program calls; run_program signals
    checksum copy
}

case_room() {
    python3 "$lazy/room.py" make
    python3 "$lazy/room.py" run
    (ulimit -v 24000000; python3 "$lazy/room.py" run)
    (ulimit -v 16000000; python3 "$lazy/room.py" run)
    rm huge
}

# faulthandler's SIGSEGV handler is called at the end, and the program dies of it.
case_python() {
    ulimit -c 0
    python3 "$lazy/make_big.py"
    for when in before after; do
        { status python3 "$lazy/handlers.py" $when; } 2>"$OUTSIDE/errors"
        head -n 1 "$OUTSIDE/errors"
        checksum out
    done
    rm big out "$OUTSIDE/errors"
}

case_java() {
    need javac java
    javac -d "$OUTSIDE/classes" "$lazy/Mapped.java"
    python3 "$lazy/make_big.py"
    java -Xss512k -cp "$OUTSIDE/classes" Mapped
    rm -r big "$OUTSIDE/classes"
}

case_node() {
    need node
    cc -shared -fPIC -O1 -D_GNU_SOURCE -pthread -Wl,-z,nodelete -o "$OUTSIDE/toucher.so" "$lazy/toucher.c"
    python3 "$lazy/make_big.py"
    node "$lazy/traps.js" "$OUTSIDE/toucher.so" | sort
    rm big "$OUTSIDE/toucher.so"
}

# git maps packs private.
case_git() {
    need git
    export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE='2020-01-01 00:00 +0000' GIT_COMMITTER_DATE='2020-01-01 00:00 +0000'
    git -c init.defaultBranch=main init -q . && git config user.name t && git config user.email t@t && git config gc.auto 0
    for part in 1 2 3; do
        python3 -c "import random; r = random.Random($part); open('part$part', 'wb').write(r.randbytes(9 << 20) + b'$MARKER')"
        git add . && git commit -q -m "part $part"
    done
    git repack -q -a -d && git fsck --full --strict
    git clone -q . copy && (cd copy && git log --format=%s && git cat-file --batch-all-objects --batch-check | cut -d ' ' -f 2,3 | sort | uniq -c && checksum part?)
    git archive HEAD | wc -c
    rm -rf copy
    volatile '*'
}
