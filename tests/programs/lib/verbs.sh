# For suites that test overlay-ctl itself: a working directory of their own, and how a row is judged.
# Sourced with: here (the suite's directory), suite (its name).
ctl=${OVERLAY_OUT:-$here/../../out}/bin/overlay-ctl
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-$suite.XXXXXX")
export OVERLAY_RUNTIME_DIR=$work/run
mkdir -m 700 "$work/run"
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
passed=0 failed=0

verdict() { # verdict NAME STATUS
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "FAIL $1"; sed 's/^/     /' log; fi
}
ends_with() { # ends_with STATUS COMMAND...
    local wanted=$1 status
    shift
    timeout -k 5 120 "$@" >log 2>&1 </dev/null
    status=$?
    [ $status = "$wanted" ] || { echo "exit status $status, not $wanted: $*" >>log; return 1; }
}
