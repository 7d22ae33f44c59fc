#!/usr/bin/env bash
cipher=aegis-256 compression=lz4
. "$(dirname "$0")/overlay.sh"
