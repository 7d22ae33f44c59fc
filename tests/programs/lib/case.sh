# Runs one case. Every command that fails is printed with its status, and fails the case, unless the scenario
# asked for it (in a condition, or behind "status").
set -uE
failures=0
trap 'echo "[exit $?] ${BASH_COMMAND%%$'"'\\n'"'*}"; failures=$((failures + 1))' ERR

# need PROGRAM...: leaves the case if one is missing; it is counted as skipped
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        echo "$program" >"$RESULTS/$CASE.skipped"
        exit 0
    done
}

# need_other_users: leaves the case where another user could not run programs under the shim
need_other_users() {
    local directory
    need setpriv
    if [ "$(id -u)" != 0 ]; then echo root >"$RESULTS/$CASE.skipped"; exit 0; fi
    directory=$OVERLAY_OUT
    while [ "$directory" != / ]; do
        case $(stat -c %A "$directory") in
            *x | *t) directory=$(dirname "$directory") ;;
            *) echo "$directory is closed to others" >"$RESULTS/$CASE.skipped"; exit 0 ;;
        esac
    done
}

# status COMMAND...: runs it and prints its status, whatever it is
status() { local code=0; "$@" || code=$?; echo "status $code: $1"; }

# volatile PATTERN...: files whose bytes legitimately differ from run to run (path inside the volume)
volatile() { printf '%s\n' "$@" >>"$RESULTS/volatile"; }

# checksum FILE...: digests as the program reads them, without going through the manifest
checksum() { sha256sum "$@"; }

. "$SCENARIO"
"$CASE"
[ $failures = 0 ]
