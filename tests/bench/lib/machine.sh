# The measured file system, and the machine for the report.

# A new ext4 on a loop device where that may be: the deleted inodes and the fragments of an old one are nobody's then.
make_area() {
    area=$work/area
    mkdir "$area"
    [ -z "$directory" ] && [ "$(id -u)" = 0 ] || return 0
    fallocate -l 12G "$work/disk" && mkfs.ext4 -q -F -O encrypt -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "$work/disk" &&
        area_device=$(losetup --find --show --direct-io=on "$work/disk") && mount "$area_device" "$area" && return 0
    echo "no ext4 on a loop device here: measuring in $work itself"
    remove_area
    mkdir -p "$area"
}

remove_area() {
    local attempt
    [ -n "${area_device:-}" ] || return 0
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        mountpoint -q "$area" || break
        umount "$area" 2>/dev/null || sleep 0.5
    done
    if mountpoint -q "$area"; then umount -l "$area"; fi
    losetup -d "$area_device"
    area_device=''
}

facts() {
    local system
    system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)
    printf '%s\t%s\n' \
        date "$(date +%F)" \
        processor "$(sed -n 's/^model name\t*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores" \
        memory "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)" \
        system "$system, Linux $(uname -r | cut -d- -f 1), $(ldd --version | sed -n '1s/.*) *//p' | sed 's/^/glibc /')" \
        'file system' "$(file_system)" \
        Overlay "$(sources)" \
        programs "$(git --version | cut -d' ' -f 3 | sed 's/^/git /'), SQLite $(python3 -c 'import sqlite3; print(sqlite3.sqlite_version)'), $(gcc --version | sed -n '1s/.* /gcc /p')$(postgresql_version)" \
        rounds "$rounds, in turn on all sides; a figure is the median" \
        'load at the start' "$(cut -d' ' -f 1-3 /proc/loadavg)"
}

sources() { git -C "$repository" log -1 --format='sources as of %h' -- crypto metadata overlay shim 2>/dev/null; }

file_system() {
    local type
    type=$(df --output=fstype "$area" | tail -n 1)
    if [ -n "${area_device:-}" ]; then
        echo "$type, new, journal in ordered mode, on a loop device (direct I/O) over $(df --output=fstype "$work" | tail -n 1)"
    else
        echo "$type"
    fi
}

postgresql_version() { ls -d /usr/lib/postgresql/* 2>/dev/null | sed -n '$s/.*\//, PostgreSQL /p'; }
