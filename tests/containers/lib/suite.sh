# What the suites of this directory share: counting, skipping with a reason, a work directory, and a Debian root.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-boxes.XXXXXX")
chmod 755 "$work"

# skip_suite REASON: nothing more of the suite can run here
skip_suite() { echo "skipped: $*"; echo "$passed passed, $failed failed, $((skipped + 1)) skipped"; rm -rf --one-file-system "$work"; exit 0; }
skip() { echo "skip $1: $2"; skipped=$((skipped + 1)); }

# check NAME COMMAND...: it passes if the command does; what it printed is shown if it does not
check() {
    local name=$1
    shift
    # Not in a condition: there `set -e` counts for nothing.
    (set -e; "$@") >"$work/log" 2>&1
    local status=$?
    if [ "$status" = 0 ]; then
        echo "ok $name"; passed=$((passed + 1))
    else
        echo "FAIL $name (status $status)"; tail -n 30 "$work/log" | sed 's/^/     /'; failed=$((failed + 1))
    fi
}

# same NAME EXPECTED SEEN
same() {
    if [ "$2" = "$3" ]; then
        echo "ok $1"; passed=$((passed + 1))
    else
        printf 'FAIL %s\n     expected: %s\n     seen:     %s\n' "$1" "$2" "$3"; failed=$((failed + 1))
    fi
}

summary() { echo "$passed passed, $failed failed, $skipped skipped"; [ "$failed" = 0 ]; }

# debian_root DIRECTORY [SUITE]: a minimal Debian with SQLite; made once, kept as an archive in out/roots until `make clean`.
# MIRROR: another than deb.debian.org.
debian_root() {
    local suite=${2:-bookworm} archive
    archive=$repository/out/roots/$suite.tar
    mkdir -p "$1" "$repository/out/roots"
    if [ ! -e "$archive" ]; then
        debootstrap --variant=minbase --include=sqlite3 "$suite" "$work/$suite" "${MIRROR:-http://deb.debian.org/debian}" >"$work/$suite.log" 2>&1 ||
            { tail -n 5 "$work/$suite.log"; return 1; }
        rm -rf "$work/$suite"/var/cache/apt/archives/*.deb "$work/$suite"/var/lib/apt/lists/*_*
        tar -C "$work/$suite" --numeric-owner -cf "$archive.new" . && mv "$archive.new" "$archive"
        rm -rf --one-file-system "${work:?}/$suite"
    fi
    tar -C "$1" --numeric-owner -xf "$archive"
}
