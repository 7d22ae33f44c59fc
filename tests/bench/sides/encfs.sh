#!/usr/bin/env bash
# encfs in its standard configuration: AES-192-CBC in blocks of 1 KiB, by FUSE. Changed bytes are not noticed: no authentication.
set -u
packages='encfs'
kind=fuse
version() { echo "$(encfs --version 2>&1), --standard (not authenticated)"; }
reason() { fuse_reason encfs; }

start() {
    mkdir "$state/cipher" "$root"
    echo benchmark | encfs --standard -S --idle=0 "$state/cipher" "$root" >"$state/log" 2>&1 && mounted_or_fail "$root"
}
stop() { unmounted "$state/mount"; }

. "$(dirname "$0")/../lib/side.sh"
