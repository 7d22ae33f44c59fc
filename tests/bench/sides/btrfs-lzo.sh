#!/usr/bin/env bash
algorithm=lzo
. "$(dirname "$0")/btrfs-zstd.sh"
