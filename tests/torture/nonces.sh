#!/usr/bin/env bash
# The torture on a build that writes down (key, nonce) of every seal before it (crypto/Recording/), over kills, forks, children of spawns,
# and a snapshot that is put back: none comes twice, and every nonce on the disk was written down. The check is shown to be able to fail.
# usage: nonces.sh [arguments of run.sh]; environment: OVERLAY_OUT, the shipped tree; OVERLAY_RECORDING, the recording one (make recording)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shipped=${OVERLAY_OUT:-$here/../../out} recording=${OVERLAY_RECORDING:-$here/../../out/recording}
[ -x "$recording/bin/overlay-ctl" ] || { echo "no recording build in $recording: run 'make recording' first"; echo "0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-nonces.XXXXXX")
trap '[ "$failed" != 0 ] || rm -rf "$work"' EXIT
passed=0 failed=0
"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$work/check" "$here/check_nonces.c" || { failed=1; exit 2; }

check() { # check NAME COMMAND...
    if said=$("${@:2}" 2>&1); then
        passed=$((passed + 1))
        echo "ok $1${said:+ ($(tail -n 1 <<<"$said"))}"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        tail -n 60 <<<"$said" | sed 's/^/     /'
    fi
}

# The recorder is in the recording build, so this way of looking finds it, and not in the shipped one.
is_marked() { grep -qaF 'overlay nonce record' "$1"; }
shipped_records_nothing() {
    local file
    for file in bin/overlay-ctl lib/overlay/liboverlay-engine.so; do
        is_marked "$recording/$file" || { echo "$recording/$file does not record"; return 1; }
        [ -e "$shipped/$file" ] || { echo "$shipped/$file is missing"; return 1; }
    done
    for file in "$shipped"/bin/* "$shipped"/lib/overlay/*; do
        ! is_marked "$file" || { echo "$file records"; return 1; }
    done
}

# Nothing else than these two seals, and both are recorded.
# A PKCS #11 token encrypts with RSA, which takes no nonce.
seals_elsewhere() {
    local root=$here/../.. other
    other=$(grep -rnE --include=*.cs 'Sodium\.[A-Za-z]*Seal\(|\.Encrypt\(|crypto_(aead|secretbox|stream|box)_[a-z0-9_]*(encrypt|easy|xor)' \
        --exclude-dir=obj --exclude-dir=bin --exclude-dir=Pkcs11 "$root"/{crypto,metadata,overlay,shim,tools} | grep -vE 'crypto/(DataKey|KeyWrap|Sodium)\.cs:')
    [ -z "$other" ] || { echo "$other"; return 1; }
}

torture() {
    TMPDIR=$work OVERLAY_OUT=$recording "$here/run.sh" --keep "$@"
}

# A record is put in or taken out: the check must say so.
is_refused() { # is_refused WHAT RECORD [STORED]
    local what=$1 said
    shift
    said=$("$work/check" "$@" 2>&1) && { echo "$what: not found"; return 1; }
    grep -qE "$what" <<<"$said" || { echo "$said"; return 1; }
}
can_fail() {
    local size at
    size=$(stat -c %s "$record")
    at=$((size / 64 / 3))
    { cat "$record"; dd if="$record" bs=64 skip=$at count=1 status=none; } >"$work/repeated"
    is_refused '^REPEATED' "$work/repeated" || return
    # The same nonce with another key is none; nor is the same key with another nonce.
    { cat "$record"; head -c 16 /dev/urandom; dd if="$record" bs=1 skip=$((at * 64 + 16)) count=48 status=none
      dd if="$record" bs=1 skip=$((at * 64)) count=16 status=none; head -c 12 /dev/urandom
      dd if="$record" bs=1 skip=$((at * 64 + 28)) count=36 status=none; } >"$work/alike"
    "$work/check" "$work/alike" >/dev/null || { echo "a repeat where there is none"; return 1; }
    { cat "$record"; printf x; } >"$work/cut"
    is_refused 'cut' "$work/cut" || return
    { cat "$work/stored"; head -c 12 /dev/urandom; } >"$work/unrecorded"
    is_refused ', 1 of them not recorded' "$record" "$work/unrecorded" || return
    rm -f "$work/repeated" "$work/alike" "$work/cut" "$work/unrecorded"
}

no_repeats() {
    "$here/stored_nonces.py" "$run"/*/volume >"$work/stored" || return
    "$work/check" "$record" "$work/stored"
}

check shipped-build-records-nothing shipped_records_nothing
check seals-are-in-two-places seals_elsewhere
check torture torture "$@"
grep -E '^(ok|FAIL) ' <<<"$said" | sed 's/^/     /'
run=$(ls -d "$work"/overlay-torture.*) record=$run/agents/nonces.record
check no-key-and-nonce-twice no_repeats
check check-can-fail can_fail
[ $failed = 0 ] || echo "working directory: $work"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
