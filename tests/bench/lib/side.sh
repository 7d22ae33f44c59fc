# The verbs of a side. A file of sides/ defines what is its own, then sources this: sides/NAME.sh VERB [STATE-DIRECTORY]
#
#   packages       Debian packages that it needs
#   kind           reference, overlay, fuse or kernel: the part it plays in the report
#   version        one line: what it is and how it is set up
#   reason         prints why it cannot be had here; nothing if it can. The default: its program is missing, or there is no FUSE.
#   start          makes and mounts it; $state is a directory of its own on the measured file system. Sets `root`, where it is used.
#   stop           undoes that; may come at any time, also twice
#
# After `start` the state directory has `root` (a line) and `environment` (lines that a program there needs).

state=${2:-}

packages=${packages:-}
declare -F reason >/dev/null || reason() { :; }
declare -F start >/dev/null || start() { root=$state/files; mkdir -p "$root"; }
declare -F stop >/dev/null || stop() { :; }

# fuse_reason PROGRAM: why a FUSE file system cannot be mounted
fuse_reason() {
    command -v "$1" >/dev/null || { echo "$1 is not installed"; return; }
    [ -r /dev/fuse ] && [ -w /dev/fuse ] || { echo "no /dev/fuse here"; return; }
    command -v fusermount3 >/dev/null || command -v fusermount >/dev/null || echo "no fusermount here"
}

loop_reason() {
    [ "$(id -u)" = 0 ] || { echo "loop devices need root"; return; }
    [ -e /dev/loop-control ] || echo "no loop devices here"
}

# new_loop FILE SIZE: a loop device over a new file, which it prints; the file is not on the measured file system, but below it. Direct, so that data are not cached twice.
new_loop() {
    fallocate -l "$2" "$1" || return
    losetup --find --show --direct-io=on "$1"
}

# unmounted DIRECTORY: unmounts it, even if its last user has not quite ended
unmounted() {
    local attempt
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        mountpoint -q "$1" 2>/dev/null || return 0
        umount "$1" 2>/dev/null || fusermount3 -u "$1" 2>/dev/null || fusermount -u "$1" 2>/dev/null || sleep 0.3
    done
    umount -l "$1"
}

free_loops_of() { # FILE
    local device
    for device in $(losetup -j "$1" 2>/dev/null | cut -d: -f1); do losetup -d "$device"; done
}

mounted_or_fail() {
    local attempt
    for ((attempt = 0; attempt < 100; attempt++)); do
        mountpoint -q "$1" && return 0
        sleep 0.1
    done
    echo "not mounted: $1" >&2
    return 1
}

case ${1:-} in
    packages) echo "$packages" ;;
    kind) echo "$kind" ;;
    version) version ;;
    reason) reason ;;
    start)
        root=$state/mount
        : >"$state/environment"
        start || exit
        echo "$root" >"$state/root"
        ;;
    stop) stop ;;
    *) echo "usage: $0 packages|kind|version|reason|start|stop [STATE-DIRECTORY]" >&2; exit 2 ;;
esac
