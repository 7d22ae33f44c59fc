# about: programs and libraries with system calls of their own: C with inline ones, Go, ripgrep; and libc whose text is fixed
# needs: cc python3
# limit: 900
# case-limit: 400

raw="$PARTS/raw_programs"

build() { cc -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -pthread -o "$2" "$raw/$1" ${3:+"$3" "$4"}; }

case_inline_calls() {
    build files.c "$OUTSIDE/files"; build registers.c "$OUTSIDE/registers"
    "$OUTSIDE/files" "$MARKER"
    "$OUTSIDE/registers"
    checksum kept registers.file
    cp "$OUTSIDE/files" .
    rm kept; ./files "$MARKER"; checksum kept   # a sealed program
}

case_ring() {
    build ring.c "$OUTSIDE/ring"
    "$OUTSIDE/ring" "$MARKER"
    checksum by-ring
}

case_signals() {
    build signals.c "$OUTSIDE/signals"
    "$OUTSIDE/signals"
    rm signals.file
}

case_threads() {
    build threads.c "$OUTSIDE/threads"
    "$OUTSIDE/threads"
    cat raw-* clone-* fork* spawned thread0
}

# Libc's calls and others, all through the second way.
case_strict() {
    export OVERLAY_STRICT=1
    "$OUTSIDE/files" "$MARKER"; "$OUTSIDE/registers"; "$OUTSIDE/signals"; "$OUTSIDE/threads"
    rm signals.file
    seq -f "%g $MARKER" 3000 | tee a | sha256sum
    sort -r a | gzip | gzip -d | cmp - <(sort -r a) && echo same
    python3 - <<TEXT
import os, subprocess, threading
threads = [threading.Thread(target=lambda n=n: open(f"t{n}", "w").write("$MARKER" * 5000)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(subprocess.check_output(["wc", "-c", "t0", "t1", "t2", "t3"]))
TEXT
}

# What is remembered of a program that nobody has run before may not cost it its life.
case_file_size_limit() {
    cp "$(command -v ls)" "$OUTSIDE/never-run"
    seen=$(ulimit -f 0; "$OUTSIDE/never-run" -d . || echo "status $?")
    echo "$seen"
    rm "$OUTSIDE/never-run"
}

case_made_code() {
    build made.c "$OUTSIDE/made"
    OVERLAY_STRICT=1 "$OUTSIDE/made" "$MARKER"
    cat by-made-code
}

# No text can be changed: everything comes through the second way, the loader's and the engine's own calls, too.
case_fixed_text() {
    build mdwe.c "$OUTSIDE/mdwe"
    for program in "$OUTSIDE/files $MARKER" "$OUTSIDE/registers" "$OUTSIDE/signals" "$OUTSIDE/threads"; do
        # shellcheck disable=SC2086
        "$OUTSIDE/mdwe" $program
    done
    rm signals.file
    "$OUTSIDE/mdwe" sh -c 'seq -f "%g $0" 3000 | tee a | sha256sum; ls; cp a b; cmp a b && mv b c; (sleep 0.1; echo late) & wait' "$MARKER"
    "$OUTSIDE/mdwe" python3 -c 'import threading, subprocess
threads = [threading.Thread(target=lambda n=n: open(f"t{n}", "w").write("'"$MARKER"'" * 5000)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(subprocess.check_output(["wc", "-c", "t0", "t1", "t2", "t3"]))'
}

# Loaded into a program that was started without traps such a library would not be seen. Of the reason nothing may come into a sealed file.
case_late_library() {
    build raw_library.c libraw.so -shared -fPIC
    OVERLAY_STRICT=1 python3 "$raw/call_library.py" ./libraw.so "$MARKER"
    if [ -n "${OVERLAY_VOLUMES:-}" ]; then
        python3 "$raw/call_library.py" ./libraw.so "$MARKER" 2>"$OUTSIDE/error" && echo "it was loaded"
        grep -q 'system calls of its own' "$OUTSIDE/error" || cat "$OUTSIDE/error"
        python3 "$raw/call_library.py" ./libraw.so "$MARKER" 2>error && echo "it was loaded"
        grep -q 'failed to map segment' error || cat error
        rm "$OUTSIDE/error" error
    fi
}

case_ripgrep() {
    need rg
    cp -r "$INPUTS/doc" "$INPUTS/text.txt" .
    echo "find $MARKER" >new
    rg --sort path -c the .
    rg --sort path "$MARKER" .
    rg --sort path --mmap -n -i 'license' text.txt new | head -n 20
}

# Go itself is one, and its compiler a static program.
go_build() { (cd "$raw" && HOME=$OUTSIDE GOCACHE=$OUTSIDE/cache TMPDIR=$OUTSIDE OVERLAY_ALLOW_STATIC=1 go build "$@"); }

case_go() {
    need go
    go_build -o "$OUTSIDE/go-program" program.go
    go_build -ldflags=-buildid= -o "$OUTSIDE/go-unnamed" program.go # without the note by which it is known
    go_build -buildmode=c-shared -o "$OUTSIDE/libgo.so" library.go
    rm -rf "$OUTSIDE/cache" "$OUTSIDE/.config" "$OUTSIDE/libgo.h"
    for round in 1 2 3; do mkdir $round; "$OUTSIDE/go-program" $round "$MARKER"; done
    mkdir unnamed; "$OUTSIDE/go-unnamed" unnamed "$MARKER"
    cp "$OUTSIDE/go-program" .; mkdir sealed; ./go-program sealed "$MARKER"
    OVERLAY_STRICT=1 python3 "$raw/call_go.py" "$OUTSIDE/libgo.so" "$MARKER"
    volatile '*go-program'
}
