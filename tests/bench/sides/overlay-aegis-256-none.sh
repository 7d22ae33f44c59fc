#!/usr/bin/env bash
cipher=aegis-256 compression=none
. "$(dirname "$0")/overlay.sh"
