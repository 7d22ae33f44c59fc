#!/usr/bin/env bash
# cryfs: XChaCha20-Poly1305 in blocks of 16 KiB, sizes and directories hidden, by FUSE. Keeps blocks in memory for a second before it writes.
set -u
packages='cryfs'
kind=fuse
version() { echo "$(cryfs --version 2>&1 | sed -n 1p), xchacha20-poly1305"; }
reason() { fuse_reason cryfs; }

start() {
    mkdir "$state/cipher" "$root"
    echo benchmark | CRYFS_FRONTEND=noninteractive CRYFS_NO_UPDATE_CHECK=true CRYFS_LOCAL_STATE_DIR=$state/local \
        cryfs "$state/cipher" "$root" >"$state/log" 2>&1 && mounted_or_fail "$root"
}
stop() { unmounted "$state/mount"; }

. "$(dirname "$0")/../lib/side.sh"
