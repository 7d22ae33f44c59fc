#!/usr/bin/env bash
cipher=aes-256-gcm compression=none
. "$(dirname "$0")/overlay.sh"
