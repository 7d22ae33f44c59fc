#!/usr/bin/env bash
cipher=xchacha20-poly1305 compression=lz4
. "$(dirname "$0")/overlay.sh"
