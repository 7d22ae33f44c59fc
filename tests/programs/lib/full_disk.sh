# Programs on a disk that fills up: what they say and how they end is the same in a plain directory, on a disk of the same size.

# small_disk NAME: an empty tmpfs at $work/mount/NAME
small_disk() {
    [ "$(id -u)" = 0 ] || { skip "needs root"; return; }
    mkdir -p "$work/mount/$1"
    mount -t tmpfs -o "size=${2:-8m}" none "$work/mount/$1" 2>/dev/null || skip "cannot mount a tmpfs"
}
drop_disk() { umount "$work/mount/$1"; }

# compare_on_full_disk PROGRAM...: parts/faults/full_PROGRAM.sh in a plain directory and in a volume, both on a small disk
compare_on_full_disk() {
    local script=$here/parts/faults/$1
    small_disk disk 16m || return
    mkdir "$work/mount/disk/vol"
    timeout -k 5 120 bash "$script" "$work/mount/disk/vol" >"$work/plain.out" 2>"$work/plain.err"
    echo "exit status $?" >>"$work/plain.out"
    drop_disk disk
    small_disk disk 16m || return
    new_volume "$work/mount/disk/vol" "$key" || return 1
    in_volume "$work/mount/disk/vol" "$key" timeout -k 5 120 bash "$script" "$work/mount/disk/vol" >"$work/sealed.out" 2>"$work/sealed.err"
    echo "exit status $?" >>"$work/sealed.out"
    drop_disk disk
    diff "$work/plain.out" "$work/sealed.out" || { tail -n 5 "$work/plain.err" "$work/sealed.err"; return 1; }
    grep -q 'full: ' "$work/plain.out" || fail "the disk never was full"
}
full_disk_dd() { compare_on_full_disk full_dd.sh; }
full_disk_sqlite() { compare_on_full_disk full_sqlite.sh; }
full_disk_git() { compare_on_full_disk full_git.sh; }
full_disk_tar() { compare_on_full_disk full_tar.sh; }

# The counters that processes share are mapped: a store to a page that the full disk cannot give would be SIGBUS.
full_disk_counters() {
    small_disk counters || return
    local disk=$work/mount/counters
    new_volume "$disk/vol" "$key" && in_volume "$disk/vol" "$key" bash -c "for i in {1..40}; do echo old >$disk/vol/f\$i; done" || return 1
    head -c 100m /dev/zero >"$disk/ballast" 2>/dev/null
    in_volume "$disk/vol" "$key" python3 -S - "$disk/vol" <<'P'
import errno, os, sys
seen = set()
for i in range(1, 41):
    try:
        fd = os.open(f"{sys.argv[1]}/f{i}", os.O_RDWR)
        os.pwrite(fd, b"new\n", 0)
        os.ftruncate(fd, 2)
        os.close(fd)
        seen.add("ok")
    except OSError as fault:
        seen.add(errno.errorcode[fault.errno])
assert seen <= {"ok", "ENOSPC"}, seen
P
    local status=$?
    rm "$disk/ballast"
    in_volume "$disk/vol" "$key" bash -c "for i in {1..40}; do echo \$(<$disk/vol/f\$i); echo again >$disk/vol/f\$i; done" | sort -u >"$work/left"
    drop_disk counters
    same "$status" 0 "writing on the full disk" && ! grep -vxE 'old|new|ne' "$work/left"
}

# A volume that came from a backup: its counters are one hole, and the disk has no room for them.
full_disk_restored_counters() {
    small_disk restored || return
    local disk=$work/mount/restored status
    new_volume "$disk/vol" "$key" && in_volume "$disk/vol" "$key" bash -c "echo old >$disk/vol/f" || return 1
    rm "$disk/vol/.overlay/coherence"
    truncate -s 524288 "$disk/vol/.overlay/coherence"
    head -c 100m /dev/zero >"$disk/ballast" 2>/dev/null
    in_volume "$disk/vol" "$key" "${probe[@]}" write-at "$disk/vol/f" 0 >"$work/answer"
    rm "$disk/ballast"
    in_volume "$disk/vol" "$key" "${probe[@]}" write-at "$disk/vol/f" 0 >>"$work/answer"
    drop_disk restored
    same "$(paste -sd ' ' "$work/answer")" "ENOSPC ok"
}
