# about: gcc and make of a small C project in the volume: objects, archives, link, -j on one log, dependencies
# needs: gcc make ar ld

project() { bash "$PARTS/compile/project.sh"; }

# Where it was built, and outside of the volume.
run_twice() { "./$1" && cp "$1" "$OUTSIDE/program" && "$OUTSIDE/program"; }

case_make() {
    project
    make >log 2>&1; tail -n 2 log | cut -c 1-40
    run_twice program
    make 2>&1 | sed "s/make\[[0-9]*\]/make/"
    touch -d '+1 min' include/parts.h; make -n | grep -c -- -c || :
    make -q || echo "out of date"
    make clean >/dev/null; ls
    readelf -h /dev/null >/dev/null 2>&1 || :
}

case_parallel() {
    project
    make -j4 >log 2>&1
    sort log | checksum; volatile 'case_parallel/log'
    run_twice program
    make clean >>log; make -j4 -Otarget >>log 2>&1; wc -l log
    ar t libparts.a | sort | checksum; nm program | awk '{ print $3 }' | sort | grep -c part_
    strip -o stripped program; objdump -h stripped | wc -l; size program | tail -n 1 | awk '{ print $1, $2, $3 }'
}

case_compiler_outputs() {
    project
    gcc -Iinclude -E src/part1.c -o part1.i
    gcc -S part1.i -o part1.s
    as part1.s -o part1.o
    gcc -c -x c - -o stdin.o <part1.i
    gcc -shared -fPIC -Iinclude -o libshared.so src/part1.c src/part2.c
    gcc -pipe -save-temps -c -Iinclude src/part3.c -o part3.o
    gcc -flto -O2 -Iinclude -o lto src/*.c; run_twice lto
    gcc -fprofile-arcs -Iinclude -c src/part4.c -o part4.o
    volatile 'case_compiler_outputs/part4.*'
    ld -r -o joined.o part1.o part3.o
    objcopy --strip-debug part3.o part3.stripped
    nm libshared.so | grep -c part_
    ls | checksum
    status gcc -c missing.c 2>&1
    echo 'int main( {' >bad.c
    status gcc bad.c 2>/dev/null
    ls bad.o a.out 2>/dev/null || echo "nothing left"
}

case_debugger_reads() {
    need gdb
    project; make >/dev/null
    gdb -batch -nx -ex 'info line main' -ex 'list main' program 2>/dev/null | grep -c main
}
