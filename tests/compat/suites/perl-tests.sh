# about: Perl's own tests of input and output, file tests, directories, in-place editing, File::* and IO::*, in the directory
# packages: perl perl-modules dpkg-dev
# limit: 900

version() { perl -e 'print substr($^V, 1)'; }

prepare() {
    [ -e t ] && return
    local base
    debian_source perl . || return
    # The tests look for the library beside themselves.
    mkdir lib
    for base in $(perl -e 'print join " ", grep { m{/perl(/5|-base)} } reverse @INC'); do cp -r "$base/." lib/; done
    mkdir module && for base in cpan/File-Temp cpan/File-Path cpan/Archive-Tar ext/File-Glob ext/File-Find dist/IO dist/Storable ext/SDBM_File ext/DB_File; do
        [ -d perl-*/$base/t ] && mkdir -p "module/$(basename $base)" && cp -r perl-*/$base/t "module/$(basename $base)/"
    done
    mkdir -p libt && cp perl-*/lib/File/*.t libt/
    mv perl-*/t t && rm -rf perl-5*
}

suite() {
    local file
    export TMPDIR=$PWD/temporary
    mkdir temporary
    cp -r "$SCRATCH/t" t
    cp -r "$SCRATCH/module" "$SCRATCH/libt" .
    ln -s "$SCRATCH/lib" lib
    cp "$(command -v perl)" t/perl
    cd t
    for file in io/*.t op/{stat,stat_errors,chdir,filetest,filetest_stack_ok,readline,sselect,exec,fork,glob,lfs,mkdir,rand,inccode,require_errors,sysio,utfhash,write,eof,die_keeperr,magic,print,chars,do,incfilter,open,getppid,alarm,closure}.t \
        run/{exit,fresh_perl,runenv,switches,script,switch0,switchn,switchp,switcht,switchd}.t; do
        [ -e "$file" ] && one "$file" "$file"
    done
    cd ..
    for file in libt/*.t; do one "lib/File/$(basename "$file")" "$file"; done
    for module in module/*; do
        ln -s "$SCRATCH/lib" "$module/lib"; cp t/test.pl "$module/t/"
        for file in "$module"/t/*.t; do one "${module#module/}/$(basename "$file")" "${file#"$module"/}" "$module"; done
    done
}

one() { # one NAME FILE [DIRECTORY]
    local status=0
    local log=$TMPDIR/../log
    (cd "${3:-.}" && timeout 120 perl "$2") >"$log" 2>&1 || status=$?
    local good bad
    good=$(grep -cE '^ok ' "$log") bad=$(grep -cE '^not ok ' "$log")
    if grep -q '^1\.\.0' "$log"; then result "$1" skip; return; fi
    if [ "$bad" = 0 ] && [ $status = 0 ]; then result "$1" "ok $good"; return; fi
    result "$1" "fail status $status: $good ok, not ok: $(sed -nE 's/^not ok ([0-9]+).*/\1/p' "$log" | paste -sd,)"
    { echo "--- $1"; grep -avE '^ok ' "$log" | tail -n 60; } >&2
}
