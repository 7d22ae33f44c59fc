# about: PHP's own tests of file, directory and stream functions (phpt), with temporary files and scripts in the directory
# packages: php-cli php-sqlite3 dpkg-dev
# limit: 900

version() { php -r 'echo PHP_VERSION;'; }

prepare() {
    [ -e tests ] && return
    debian_source php8.2 . || return
    mkdir tests && cp -r php8.2-*/ext/standard/tests tests/standard && cp php8.2-*/run-tests.php . && rm -rf php8.2-*
}

suite() {
    mkdir -p ext/standard/tests temporary
    cp -r "$SCRATCH"/tests/standard/{file,dir,streams,filters} ext/standard/tests/
    cp "$SCRATCH/run-tests.php" .
    export TMPDIR=$PWD/temporary TEST_PHP_EXECUTABLE NO_INTERACTION=1 SKIP_ONLINE_TESTS=1 SKIP_SLOW_TESTS=1
    TEST_PHP_EXECUTABLE=$(command -v php)
    php -n run-tests.php -q -j2 --offline --no-color --set-timeout 30 -W results.txt ext/standard/tests >&2
    # "PASSED ext/standard/tests/file/copy_variation1.phpt"
    LC_ALL=C sort results.txt | while read -r outcome name; do
        case $outcome in
            PASSED) outcome=ok ;;
            SKIPPED) outcome=skip ;;
            *) outcome="fail" ;;
        esac
        result "${name##*standard/tests/}" "$outcome"
    done
}
