# about: programs that live in the volume: compiled programs, scripts, libraries, a venv, native modules, a jar, ./configure
# needs: gcc make python3
# limit: 400
# case-limit: 120

P=$PARTS/programs_inside
who() { gcc -O1 "$P/who.c" -o who; }

case_compile_and_run() {
    echo "int puts(const char *); int main(int c, char **v) { puts(\"$MARKER\"); puts(v[0]); return c; }" >hello.c
    gcc hello.c -o hello
    status ./hello; status "$PWD/hello" 1 2
    (exec -a "another name" ./hello) || echo $?
    PATH=$PATH:$PWD status hello
    ln -s hello link; status ./link; mkdir folder; ln hello folder/hard; status folder/hard
    mv hello moved; status ./moved
    cp moved "$OUTSIDE/copy"; status "$OUTSIDE/copy"
    echo 'int main(void) { return *(volatile int *)8; }' >crash.c; gcc crash.c -o crash; (status ./crash) 2>/dev/null
    echo '#include <unistd.h>
int main(void) { char text[99]; long n = read(0, text, 99); return write(1, text, n) != n; }' >cat.c; gcc cat.c -o cat
    echo "through $MARKER" | ./cat >out; ./cat <out; status ./cat <&-
    gcc -g -rdynamic -pie -Wl,-z,now -Wl,-z,relro hello.c -o hardened; status ./hardened
    gcc -no-pie hello.c -o fixed; status ./fixed
    g++ -x c++ - -o cpp <<<'#include <iostream>
int main() { try { throw 5; } catch (int n) { std::cout << "caught " << n << std::endl; } }' && ./cpp
}

case_what_it_sees() {
    who
    status ./who; status "$PWD/../case_what_it_sees/who" a; status ../case_what_it_sees/who
    ln -s who by_link; status ./by_link
    WHO=$MARKER status ./who; status env -i ./who
    name=$(printf 'long-%.0s' $(seq 45)); mkdir -p "$name/$name"; cp who "$name/$name/who"; status "$name/$name/who"
    status ./who >out; cat out
    ./who & status wait $!
    cp who sleeper; sed 's/return 3/sleep(1); puts(""); return 3/' "$P/who.c" >sleeper.c; gcc sleeper.c -o sleeper
    ./sleeper >/dev/null & sleep 0.3; readlink /proc/$!/exe; cat /proc/$!/comm; tr '\0' ' ' </proc/$!/cmdline; echo; status wait $!
}

case_scripts() { who; echo text >refused.txt; bash "$P/interpreter_lines.sh"; }

case_script_sees() {
    printf '#!/bin/bash\necho "$0 $BASH_SOURCE $#"; cat /proc/$$/comm; tr "\\0" " " </proc/$$/cmdline; echo\n' >see.sh; chmod +x see.sh
    ./see.sh a; "$PWD/see.sh"; PATH=$PWD:$PATH see.sh; find . -name see.sh -exec {} found \;; echo ./see.sh | xargs -n 1 env
    printf '#!/usr/bin/perl -w\nprint "$0 @ARGV\\n";' >p.pl; chmod +x p.pl; ./p.pl 1
    printf '#!/usr/bin/env python3\nimport sys; print(sys.argv)' >p.py; chmod +x p.py; ./p.py 1
    printf '#!/usr/bin/make -f\nall:\n\t@echo made $@\n' >m.mk; chmod +x m.mk; ./m.mk
    printf '#!/usr/bin/awk -f\nBEGIN { print "awk", ARGV[1] }' >a.awk; chmod +x a.awk; ./a.awk 7
    who; printf '#!%s\n' "$PWD/who" >"$OUTSIDE/outer"; chmod +x "$OUTSIDE/outer"; status "$OUTSIDE/outer" 1
}

case_refusals() {
    who
    chmod 644 who; status ./who; status env ./who; chmod 755 who
    mkdir folder; status ./folder; status env ./folder; status ./missing; status env ./missing; status env ./who/below
    : >empty; chmod +x empty; status ./empty; status env ./empty
    echo "echo by the shell" >text; chmod +x text; status ./text; status env ./text
    head -c 3000 "$INPUTS/random.bin" >noise; chmod +x noise; status env ./noise
        { printf '\177ELF\2'; head -c 3000 "$INPUTS/random.bin"; } >wrong; chmod +x wrong; status env ./wrong
    ln -s loop loop; status env ./loop
    mkfifo pipe; chmod +x pipe; status env ./pipe
    exec 7>>who; status env ./who; exec 7>&-; status ./who >/dev/null
} 2>&1

case_other_ways() {
    who; printf '#!/bin/sh\n[ -n "$QUIET" ] || echo "$0 $*"\n' >script.sh; chmod +x script.sh; echo text >refused.txt
    python3 "$P/exec_family.py"
    mkdir folder; cp who script.sh folder; ln -s who folder/link
    gcc -O1 "$P/exec_links.c" -o exec_links; ./exec_links
}

case_libraries() {
    . "$P/libraries.sh"
    bin/by_origin; (cd bin; ./by_origin); PATH=$PWD/bin:$PATH by_origin
    status bin/by_variable 2>&1
    LD_LIBRARY_PATH=lib bin/by_variable; LD_LIBRARY_PATH=$PWD/lib bin/by_variable; (cd lib; LD_LIBRARY_PATH=: ../bin/by_variable)
    bin/by_old_path; bin/by_name
    cp bin/by_variable "$OUTSIDE/by_variable"; export LD_LIBRARY_PATH=$PWD/lib
    "$OUTSIDE/by_variable"; ls | checksum; env bin/by_variable | head -n 1
    printf '#!%s\n' "$OUTSIDE/by_variable" >script; chmod +x script; ./script; python3 -c 'print("plain")'
    unset LD_LIBRARY_PATH
    echo 'int puts(const char *); __attribute__((constructor)) static void start(void) { puts("preloaded"); }' >pre.c
    gcc -shared -fPIC pre.c -o pre.so; LD_PRELOAD=./pre.so bin/by_origin; LD_PRELOAD=$PWD/pre.so /bin/true
    mkdir moved; mv lib bin moved; moved/bin/by_origin; chmod 0 moved/lib/libtwo.so; rm moved/lib/libthree.so
    status moved/bin/by_origin 2>&1
}

case_loader_by_hand() {
    . "$P/libraries.sh"
    /lib64/ld-linux-x86-64.so.2 bin/by_origin | head -n 1
    /lib64/ld-linux-x86-64.so.2 --library-path lib "$PWD/bin/by_variable" | head -n 1
    ldd bin/by_origin lib/libthree.so | sed 's/(0x.*//' | grep -v 'liboverlay\|libc.so\|ld-linux'
    status /lib64/ld-linux-x86-64.so.2 --verify main.c; status /lib64/ld-linux-x86-64.so.2 ./missing 2>&1
}

case_own_allocator() {
    gcc -O1 "$P/allocator.c" -o allocator; echo "$MARKER" >text
    status ./allocator text copy; cat copy
    cp allocator "$OUTSIDE/allocator"; status "$OUTSIDE/allocator" text copy
}

case_dlopen() {
    . "$P/libraries.sh"; : >empty.so
    python3 "$P/dlopen.py"
    echo 'int three(void); int outer(void) { return three() + 39; }' >"$OUTSIDE/outer.c"
    gcc -shared -fPIC "$OUTSIDE/outer.c" -o "$OUTSIDE/outer.so" -Llib -lthree -Wl,-rpath,"$PWD/lib"
    cd "$OUTSIDE"
    for i in $(seq 10); do python3 "$P/first_need.py" "$OUTSIDE/outer.so" "$VOLUME/case_dlopen/main.c"; done
}

case_python_venv() {
    python3 -m venv --without-pip v
    v/bin/python -c 'import sys; print(sys.prefix, sys.executable, sys.argv)'
    site=$(v/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["platlib"])')
    gcc -shared -fPIC $(python3-config --includes) "$P/extension.c" -o "$site/extension.so"
    v/bin/python -c 'import extension; print(extension.hello(), extension.__file__)'
    . v/bin/activate; command -v python; python -c 'import extension; print(extension.hello())'; deactivate
    printf '#!%s\nimport extension, sys; print(extension.hello(), sys.argv)\n' "$PWD/v/bin/python" >v/bin/tool; chmod +x v/bin/tool
    v/bin/tool 1 2
    python3 -m venv --without-pip --copies c; c/bin/python -c 'import sys; print(sys.prefix, sys.executable)'
}

case_node_addon() {
    need node; [ -e /usr/include/node/node_api.h ] || { echo "skipped: no headers of node" >>"$RESULTS/notes"; return 0; }
    gcc -shared -fPIC -I/usr/include/node "$P/addon.c" -o addon.node
    node -e 'console.log(require("./addon.node").hello(), process.argv0)'
    mkdir -p node_modules/native/build node_modules/.bin; mv addon.node node_modules/native/build
    echo 'module.exports = require("./build/addon.node")' >node_modules/native/index.js
    printf '#!/usr/bin/env node\nconsole.log(require("../native").hello())\n' >node_modules/.bin/tool; chmod +x node_modules/.bin/tool
    node_modules/.bin/tool
    node -e 'const w = require("worker_threads"); new w.Worker("console.log(require(\"native\").hello())", { eval: true })'
}

case_java_jar() {
    need java javac jar
    who; cp "$P/Inside.java" .; echo "$MARKER" >resource.txt
    gcc -shared -fPIC -x c /dev/null -o libempty.so
    javac -d classes Inside.java && jar cfe inside.jar Inside -C classes . resource.txt; volatile 'case_java_jar/inside.jar'
    java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -jar inside.jar
    java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp inside.jar Inside
}

case_configure_and_check() {
    cp "$P/configure.sh" configure; cp "$P/Makefile.in" .
    printf '#!/bin/sh\necho "test $1 of $0"\n' >test.sh; chmod +x test.sh
    echo "int printf(const char *, ...); int main(int c, char **v) { return printf(\"%s $MARKER\n\", v[0]) < 0 || c > 1; }" >program.c
    ./configure; volatile 'case_configure_and_check/config.log'
    make check 2>&1; cat result
}

case_cargo() {
    for home in /root "$(getent passwd "$(id -u)" | cut -d: -f6)"; do
        [ -x "$home/.cargo/bin/cargo" ] && export PATH=$PATH:$home/.cargo/bin RUSTUP_HOME=$home/.rustup
    done
    need cargo; cargo new --quiet --vcs none hello 2>/dev/null || { echo "skipped: cargo does not work here" >>"$RESULTS/notes"; return 0; }
    # Built elsewhere: a program contains the names of its object files, which are no secret and stand in the store.
    export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR; CARGO_TARGET_DIR=$(mktemp -d /tmp/cargo.XXXXXX)
    cd hello; volatile 'case_cargo/*' 'home/.cargo/*'
    echo "fn main() { println!(\"$MARKER {:?}\", std::env::current_exe().unwrap()); }" >src/main.rs
    cargo build --quiet --offline; cp "$CARGO_TARGET_DIR/debug/hello" .; ./hello
    echo '#[test] fn passes() { assert!(std::env::args().count() > 0); }' >>src/main.rs
    cargo test --quiet --offline 2>/dev/null | grep -c '1 passed'
    rm -r "$CARGO_TARGET_DIR"
}

case_spawned_first() {
    who; gcc -O1 "$PARTS/processes/spawn_first.c" -o "$OUTSIDE/spawn_first"; echo "$MARKER" >text; here=$PWD; cd "$OUTSIDE"
    ./spawn_first run "$here/who" read "$here/text"
    ./spawn_first run "$here/who" append "$here/text" read "$here/text" write "$here/new" append "$here/new"
    ./spawn_first to "$here/out" write "$here/new_2" append "$here/out" run "$here/who" append "$here/text"
    ./spawn_first to "$here/out_2" to "$here/out_2" to "$here/out_3" append "$here/out_2"
    cat "$here"/new* "$here"/out* "$here/text"
}

case_another_user() {
    [ "$(id -u)" = 0 ] || return 0
    need setpriv
    setpriv --reuid 65534 --regid 65534 --clear-groups test -r "$OVERLAY_SHIM" 2>/dev/null ||
        { echo "skipped: the built tree lies where other users may not read" >>"$RESULTS/notes"; return 0; }
    chmod 755 . ..; . "$P/libraries.sh"; who; printf '#!/bin/sh\necho "$0 as $(id -u)"\n' >script.sh; chmod 755 script.sh
    nobody() { status setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    nobody ./who; nobody ./script.sh; nobody bin/by_origin
    chmod 700 who script.sh; nobody ./who; nobody ./script.sh
    chmod 644 who; nobody ./who; chmod 755 who; chmod 700 lib; nobody bin/by_origin
} 2>&1

case_while_it_changes() {
    printf '#!/bin/sh\necho first; cp new self.tmp; chmod +x self.tmp; mv self.tmp self.sh; exec ./self.sh\n' >self.sh; chmod +x self.sh
    printf '#!/bin/sh\necho second\n' >new; ./self.sh
    echo 'int puts(const char *), sleep(unsigned); int main(int c, char **v) { return v[c - 1] && sleep(c - 1) + puts(NAME) < 0; }' >n.c
    for name in one two three; do gcc -DNAME="\"$name\"" n.c -o n; ./n; rm n; done
    gcc -DNAME='"four"' n.c -o n; ./n nap & sleep 0.4; rm n; wait $!
    gcc -DNAME='"limited"' n.c -o n; (ulimit -S -f 4; ./n)
    (ulimit -v 4000000; ./n)
}

case_parallel() {
    echo 'int main(int c, char **v) { return v[1][0] - 48; }' >n.c; gcc n.c -o n
    seq 0 9 | xargs -P 8 -I N sh -c './n N; echo "N $?"' | sort
    printf 'all: 1 2 3 4 5 6 7 8\n%%:\n\t@./n 0 && echo done $@\n' >Makefile; make -j 8 | sort
    python3 -c '
import subprocess, threading
def work():
    for i in range(10): assert subprocess.call(["./n", str(i)]) == i
threads = [threading.Thread(target=work) for _ in range(6)]
[t.start() for t in threads]; [t.join() for t in threads]; print("threads done")'
}
