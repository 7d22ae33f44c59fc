#!/usr/bin/env bash
# A directory: what all others are measured against.
set -u
kind=reference
version() { echo "a directory"; }

. "$(dirname "$0")/../lib/side.sh"
