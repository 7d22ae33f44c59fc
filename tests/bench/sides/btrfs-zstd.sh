#!/usr/bin/env bash
# btrfs with compression, on a loop device: a kernel that compresses and does not encrypt.
set -u
algorithm=${algorithm:-zstd:1}
device_file=${BENCH_DISK:-}/$(basename "${2:-}").device
packages='btrfs-progs'
kind=kernel
version() { echo "btrfs of Linux $(uname -r | cut -d- -f 1), $algorithm (not encrypted)"; }

reason() {
    loop_reason
    command -v mkfs.btrfs >/dev/null || { echo "mkfs.btrfs is not installed"; return; }
    grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null || echo "this kernel has no btrfs"
}

start() {
    mkdir "$root"
    local device
    device=$(new_loop "$device_file" 3G) && mkfs.btrfs -q "$device" >/dev/null && mount -o "compress=$algorithm" "$device" "$root"
}
stop() {
    unmounted "$state/mount"
    free_loops_of "$device_file"
}

. "$(dirname "$0")/../lib/side.sh"
