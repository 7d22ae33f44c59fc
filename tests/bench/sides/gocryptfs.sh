#!/usr/bin/env bash
# gocryptfs: AES-256-GCM in blocks of 4 KiB, by FUSE.
set -u
packages='gocryptfs fuse3'
kind=fuse
version() { gocryptfs -version | sed 's/;.*//'; }
reason() { fuse_reason gocryptfs; }

start() {
    mkdir "$state/cipher" "$root"
    echo benchmark >"$state/password"
    gocryptfs -init -q -scryptn 10 -passfile "$state/password" "$state/cipher" &&
        gocryptfs -q -passfile "$state/password" "$state/cipher" "$root" &&
        mounted_or_fail "$root"
} 2>"$state/log"
stop() { unmounted "$state/mount"; }

. "$(dirname "$0")/../lib/side.sh"
