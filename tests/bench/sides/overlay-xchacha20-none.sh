#!/usr/bin/env bash
cipher=xchacha20-poly1305 compression=none
. "$(dirname "$0")/overlay.sh"
