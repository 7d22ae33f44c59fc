#!/usr/bin/env bash
# Can the suite fail? A counterfeit overlay-ctl leaves plaintext, or loses what was written: each check has to say so.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-selftest.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# counterfeit RUN-LINE: an overlay-ctl whose "run" is this line; "$@" is the command, $volume the volume
counterfeit() {
    mkdir -p "$work/out/bin" "$work/out/lib/overlay"
    : >"$work/out/lib/overlay/liboverlay-shim.so"
    cat >"$work/out/bin/overlay-ctl" <<TEXT
#!/bin/bash
if [ "\$1" = init ]; then mkdir -m 700 "\$2/.overlay"; echo '{}' >"\$2/.overlay/config.json"; exit 0; fi
volume=\$3
shift 6
$1
TEXT
    chmod +x "$work/out/bin/overlay-ctl"
}

# finds NAME CHECK...: the suite fails, and these checks are among the problems
finds() {
    local name=$1 check
    shift
    TMPDIR=$work OVERLAY_OUT=$work/out OVERLAY_RUNNER=overlay "$here/run.sh" dd >"$work/report"
    for check in "$@"; do
        grep -q -- "-- $check" "$work/report" && continue
        echo "FAIL $name: $check found nothing"
        failed=$((failed + 1))
        return
    done
    echo "ok $name"
    passed=$((passed + 1))
}

counterfeit 'exec "$@"'
finds "plaintext left in the volume" plaintext-on-disk not-sealed files-as-the-program-sees-them
counterfeit '"$@"; status=$?; find "$volume" -name "f16384" -exec truncate -s 100 {} +; exit $status'
finds "data lost after the run" read-again-by-a-new-run
counterfeit '"$@"; echo "overlay: something: odd" >&2'
finds "noise on standard error" run-log
counterfeit 'exit 1'
finds "nothing runs" status files-as-the-program-sees-them
echo "$passed passed, $failed failed"
[ $failed = 0 ]
