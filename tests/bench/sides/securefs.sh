#!/usr/bin/env bash
# securefs: AES-256-GCM in blocks of 4 KiB, by FUSE.
set -u
packages='securefs'
kind=fuse
version() { echo "securefs $(securefs version 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)"; }
reason() { fuse_reason securefs; }

start() {
    mkdir "$state/cipher" "$root"
    { securefs create --pass benchmark --rounds 1 "$state/cipher" &&
        securefs mount -b --log "$state/mount.log" --pass benchmark "$state/cipher" "$root"; } >"$state/log" 2>&1 && mounted_or_fail "$root"
}
stop() { unmounted "$state/mount"; }

. "$(dirname "$0")/../lib/side.sh"
