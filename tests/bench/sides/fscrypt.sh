#!/usr/bin/env bash
# fscrypt: the kernel's own encryption of a directory, AES-256-XTS, not authenticated. The measured file system must be an
# ext4 that was made for it, as bench.sh makes its own.
set -u
packages='xfsprogs'
kind=kernel
version() { echo "fscrypt of Linux $(uname -r | cut -d- -f 1), AES-256-XTS (not authenticated)"; }

reason() {
    [ "$(id -u)" = 0 ] || { echo "needs root"; return; }
    command -v xfs_io >/dev/null || { echo "xfs_io is not installed"; return; }
    [ -z "$state" ] || device_encrypts || echo "$(df --output=fstype "$state" | tail -n 1) without the encrypt feature"
}

device_encrypts() {
    local device
    device=$(df --output=source "$state" | tail -n 1)
    dumpe2fs -h "$device" 2>/dev/null | grep -q '^Filesystem features:.* encrypt'
}

start() {
    mkdir "$root"
    local key
    key=$(head -c 64 /dev/urandom | xfs_io -c add_enckey "$(df --output=target "$state" | tail -n 1)" | grep -oE '[0-9a-f]{32}$') &&
        xfs_io -c "set_encpolicy -v 2 $key" "$root"
} 2>"$state/log"

. "$(dirname "$0")/../lib/side.sh"
