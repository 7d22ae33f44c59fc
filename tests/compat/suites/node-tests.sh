# about: Node's own tests of file system, file handles, streams of files and modules; scripts, modules and temporary files in the directory
# packages: dpkg-dev
# limit: 900

version() { node --version; }

prepare() {
    command -v node || return
    [ -e tests ] && return
    debian_source nodejs . || return
    mkdir tests && cp -r nodejs-*/test/{common,fixtures,parallel,sequential,es-module} tests/ && rm -rf nodejs-*
    # What is not about files is not needed in the directory.
    find tests/parallel tests/sequential -name 'test-*' ! -name 'test-fs*' ! -name 'test-file*' ! -name 'test-module*' ! -name 'test-require*' \
        ! -name 'test-child-process-std*' ! -name 'test-child-process-spawn*' ! -name 'test-stdout*' -delete
}

suite() {
    local file outcome
    cp -r "$SCRATCH/tests" test
    rm -f test/parallel/test-fs-readdir-ucs2.js # writes a name that no checkout can hold
    cd test
    for file in parallel/test-*.*js sequential/test-*.*js es-module/test-*.*js; do
        outcome=ok
        # shellcheck disable=SC2046
        timeout 60 node $(sed -n 's,^// Flags: ,,p' "$file" | tr '\n' ' ') "$file" >"../log" 2>&1 || outcome="fail $?"
        if grep -q '^1\.\.0 # ' ../log; then outcome=skip; fi
        [ "$outcome" = ok ] || { echo "--- $file $outcome"; tail -n 40 ../log; } >&2
        result "$file" "$outcome"
    done
}
