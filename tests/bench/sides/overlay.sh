#!/usr/bin/env bash
# Overlay with its defaults. Its other sides set `cipher` and `compression` and source this.
set -u
kind=overlay
cipher=${cipher:-aes-256-gcm} compression=${compression:-lz4}
. "$(dirname "$0")/../../programs/lib/runner.sh"

version() { echo "Overlay $("$OVERLAY_CTL" --version | cut -d+ -f 1), $cipher, $compression"; }

reason() { runner_check 2>&1; }

# A run that only holds the agent: its environment lets programs be started under the shim from outside, as FUSE has a
# daemon that is there already.
start() {
    root=$state/volume
    new_key "$state/key"
    "$OVERLAY_CTL" init "$root" --key-file "$state/key" --cipher "$cipher" --compression "$compression" </dev/null >/dev/null || return
    setsid "$OVERLAY_CTL" run --volume "$root" --key-file "$state/key" -- bash -c '
        env | grep -E "^(LD_PRELOAD|OVERLAY_[A-Z_]*)=" >"$1/environment.new"
        echo $$ >"$1/child"
        mv "$1/environment.new" "$1/environment"
        exec sleep infinity' - "$state" </dev/null >"$state/log" 2>&1 &
    echo $! >"$state/pid"
    local attempt
    for ((attempt = 0; attempt < 200; attempt++)); do
        [ -s "$state/environment" ] && return 0
        sleep 0.05
    done
    cat "$state/log" >&2
    return 1
}

# The agent ends with its child. Should it have died before, the child would hold the file system.
stop() {
    ended "$state/pid"
    ended "$state/child"
}

ended() { # FILE-WITH-A-PROCESS-NUMBER
    [ -e "$1" ] || return 0
    local pid attempt
    pid=$(cat "$1")
    rm "$1"
    grep -qsF "$state" "/proc/$pid/cmdline" "/proc/$pid/environ" || return 0 # it has ended, and the number may be another's
    kill "$pid" 2>/dev/null
    for ((attempt = 0; attempt < 200; attempt++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
}

. "$(dirname "$0")/../lib/side.sh"
