# about: gcc, make, ld, gold, gdb, ccache, coverage: zlib, Lua and bzip2 configured, built and tested in the directory; rsync with its own tests
# packages: gcc g++ make libc6-dev dpkg-dev binutils autoconf automake libtool ccache gdb
# limit: 1500

version() { gcc --version | head -n 1; }

prepare() {
    local name
    for name in zlib lua5.4 bzip2 rsync; do
        [ -e "$name" ] || { debian_source $name "$name.source" && mv -T "$name".source/"$name"-*/ "$name"; } || return
    done
    [ -x rsync/rsync ] || (cd rsync && ./configure --disable-md2man --disable-xxhash --disable-lz4 --disable-zstd --disable-openssl \
        --with-included-popt --with-included-zlib && make -j3 all check-progs 2>/dev/null || make -j3)
}

suite() {
    export HOME=$PWD CCACHE_DIR=$PWD/ccache TMPDIR=$PWD/temporary
    mkdir temporary
    cp -r "$SCRATCH"/{zlib,lua5.4,bzip2} .
    cd zlib
    check "zlib: configure" ./configure
    check "zlib: make -j4" make -j4
    check "zlib: make test" make test
    value "zlib: nothing to do again" bash -c 'make -q all && echo yes'
    value "zlib: one object again" bash -c 'touch inflate.c; make -n | grep -c "inflate\.[lo]*"'
    value "zlib: objects" bash -c 'strip --strip-debug -D -o x.o deflate.o; sha256sum <x.o'
    check "zlib: make install" make install prefix="$PWD/../installed"
    value "zlib: installed" bash -c 'cd ../installed; find . -type f -printf "%p %m\n" | LC_ALL=C sort'
    value "zlib: distclean" bash -c 'make distclean >/dev/null; find . -name "*.o" | wc -l'
    cd ../lua5.4
    lua_makefile >src/makefile
    echo "#define DEB_HOST_MULTIARCH \"x86_64-linux-gnu\"" >src/lua5.4-deb-multiarch.h
    check "lua: make" make -C src -f makefile -j3
    check "lua: link with bfd" bash -c 'cd src && gcc -fuse-ld=bfd -o lua lua.o liblua.a -lm -ldl -Wl,-E'
    check "lua: link with gold" bash -c 'cd src && gcc -fuse-ld=gold -o lua.gold lua.o liblua.a -lm -ldl -Wl,-E'
    check "lua: link time optimisation" bash -c 'cd src && gcc -O2 -flto=2 -DLUA_USE_LINUX -o lua.lto $(ls l*.c | grep -v luac.c) -lm -ldl -Wl,-E'
    value "lua: runs" bash -c 'for l in lua lua.gold lua.lto; do src/$l -e "local f = assert(io.open(\"o\", \"w+\")) for i = 1, 9999 do f:write(i, \"\\n\") end f:seek(\"set\") local s = 0 for n in f:lines(\"n\") do s = s + n end print(s, io.popen(\"echo popen\"):read())"; done'
    value "lua: archive" bash -c 'ar t src/liblua.a | sha256sum; ranlib src/liblua.a; nm src/liblua.a 2>/dev/null | grep -c " T lua_"'
    value "lua: profile" bash -c 'cd src; gcc -O1 --coverage -DLUA_USE_LINUX -o lua.cov $(ls l*.c | grep -v luac.c) -lm -ldl -Wl,-E; ./lua.cov -e "print(1)"; ./lua.cov -e "print(2)"; ls *.gcda | wc -l; gcov -t lua.cov-lvm.gcda | grep -c "#####" | grep -q . && echo measured'
    cd ../bzip2
    check "bzip2: make" make -j4
    check "bzip2: make check" make check
    value "bzip2: profile guided" bash -c 'gcc -O2 -fprofile-generate -o p bzip2.c $(ls *.c | grep -E "^(blocksort|huffman|crctable|randtable|compress|decompress|bzlib)\.c") && ./p -kc <manual.xml >/dev/null 2>&1; ./p -c <blocksort.c | bzip2 -dc | cmp - blocksort.c && gcc -O2 -fprofile-use -o p2 bzip2.c $(ls *.c | grep -E "^(blocksort|huffman|crctable|randtable|compress|decompress|bzlib)\.c") && ./p2 -c <blocksort.c | bzip2 -dc | cmp - blocksort.c && echo same'
    cd ..
    printf '#include <map>\n#include <string>\n#include <iostream>\n#include <fstream>\nint main() { std::map<std::string, int> m; std::ofstream("w") << "a b a c"; std::ifstream f("w"); std::string s; while (f >> s) m[s]++; for (auto& [k, v] : m) std::cout << k << v; }\n' >m.cc
    value "g++ with precompiled header" bash -c 'printf "#include <map>\n#include <string>\n#include <iostream>\n#include <fstream>\n" >all.h; g++ -O1 -std=c++17 all.h -o all.h.gch && g++ -O1 -std=c++17 -include all.h m.cc -o m && ./m'
    value "ccache" bash -c 'for i in 1 2 3; do ccache g++ -std=c++17 -c m.cc -o m.o; done; ccache --print-stats | grep -E "^(direct_cache_hit|cache_miss)" | paste -sd" "'
    value "gdb" bash -c 'gcc -g -o bug -x c - <<<"int f(int n) { int *p = 0; return n ? f(n - 1) : *p; } int main(void) { return f(3); }"; gdb -batch -ex run -ex bt ./bug 2>&1 | grep -oE "#[0-9] .*f \(n=[0-9]\)" | wc -l'
    value "split debug information" bash -c 'g++ -g -std=c++17 m.cc -o m && objcopy --only-keep-debug m m.debug && strip -g m && objcopy --add-gnu-debuglink=m.debug m && gdb -batch -ex "info line main" ./m 2>&1 | grep -c "m.cc"'
    rsync_suite
}

# Debian's own one needs its packaging tools.
lua_makefile() {
    cat <<'TEXT'
CFLAGS = -O2 -DLUA_USE_LINUX
OBJECTS = $(patsubst %.c,%.o,$(filter-out lua.c luac.c,$(wildcard l*.c)))
all: liblua.a lua.o
liblua.a: $(OBJECTS)
	$(AR) rcu $@ $^
TEXT
}

# rsync's own tests
rsync_suite() {
    cp -a "$SCRATCH/rsync" . && cd rsync || return
    # Not through a pipe: a daemon that a test leaves behind would hold it.
    timeout 900 make check >check.log 2>&1
    cat check.log >&2
    sed -nE 's/^(PASS|FAIL|SKIP|ERROR) +([a-z0-9_-]+).*/\1 \2/p' check.log | LC_ALL=C sort -k2 | while read -r outcome name; do
        case $outcome in PASS) result "rsync: $name" ok ;; SKIP) result "rsync: $name" skip ;; *) result "rsync: $name" fail ;; esac
    done
}
