# Programs on a disk that fills up: what they say and how they end is the same in a plain directory, on a disk of the same size.

# small_disk NAME: an empty tmpfs at $work/mount/NAME
small_disk() {
    [ "$(id -u)" = 0 ] || { skip "needs root"; return; }
    mkdir -p "$work/mount/$1"
    mount -t tmpfs -o "size=${2:-8m}" none "$work/mount/$1" 2>/dev/null || skip "cannot mount a tmpfs"
}
drop_disk() { umount "$work/mount/$1"; }

# small_copying NAME: a btrfs, where each change goes to a new place and needs room there
small_copying() {
    [ "$(id -u)" = 0 ] || { skip "needs root"; return; }
    command -v mkfs.btrfs >/dev/null || { skip "needs btrfs-progs"; return; }
    local image=$work/$1.image whole=$work/mount/$1.whole
    mkdir -p "$work/mount/$1" "$whole"
    truncate -s 300M "$image" && mkfs.btrfs -q -f "$image" 2>/dev/null || return 1
    mount -o loop "$image" "$whole" 2>/dev/null || { skip "cannot mount a btrfs"; return; }
    btrfs -q subvolume create "$whole/part" && mount --bind "$whole/part" "$work/mount/$1" && return
    umount "$whole"
    return 1
}
# small_quota NAME: a part of it that may take 32 MiB: EDQUOT, for root too. Quotas of tmpfs and ext4 say the same, but few kernels have them.
small_quota() {
    small_copying "$1" || return
    btrfs quota enable "$work/mount/$1.whole" 2>/dev/null && btrfs qgroup limit 32M "$work/mount/$1" && return
    drop_quota "$1"
    skip "no quotas here"
}
drop_copying() { drop_quota "$1"; }
drop_quota() { umount "$work/mount/$1" "$work/mount/$1.whole" && rm "$work/$1.image"; }

# compare_on_full_disk PROGRAM [quota]: parts/faults/full_PROGRAM.sh in a plain directory and in a volume, both on a small disk or quota
compare_on_full_disk() {
    local script=$here/parts/faults/$1 kind=${2:-disk}
    export QUOTA=${2:-}
    "small_$kind" disk 16m || return
    mkdir "$work/mount/disk/vol"
    timeout -k 5 120 bash "$script" "$work/mount/disk/vol" >"$work/plain.out" 2>"$work/plain.err"
    echo "exit status $?" >>"$work/plain.out"
    "drop_$kind" disk
    "small_$kind" disk 16m || return
    # What the store's journal needs of a quota is another matter.
    rm -f "$work/elsewhere.db"*
    new_volume "$work/mount/disk/vol" "$key" ${QUOTA:+--store "$work/elsewhere.db"} || return 1
    in_volume "$work/mount/disk/vol" "$key" timeout -k 5 120 bash "$script" "$work/mount/disk/vol" >"$work/sealed.out" 2>"$work/sealed.err"
    echo "exit status $?" >>"$work/sealed.out"
    "drop_$kind" disk
    diff "$work/plain.out" "$work/sealed.out" || { tail -n 5 "$work/plain.err" "$work/sealed.err"; return 1; }
    grep -q 'full: ' "$work/plain.out" || fail "the disk never was full"
}
full_disk_dd() { compare_on_full_disk full_dd.sh; }
full_disk_sqlite() { compare_on_full_disk full_sqlite.sh; }
full_disk_git() { compare_on_full_disk full_git.sh; }
full_disk_tar() { compare_on_full_disk full_tar.sh; }
full_quota_dd() { compare_on_full_disk full_dd.sh quota; }
full_quota_sqlite() { compare_on_full_disk full_sqlite.sh quota; }
full_quota_git() { compare_on_full_disk full_git.sh quota; }

# EDQUOT by name; what was acknowledged before it is there, old files are whole, and work goes on in the room that is given back.
full_quota_answers() {
    small_quota quota || return
    local disk=$work/mount/quota status written
    rm -f "$work/elsewhere.db"*
    new_volume "$disk/vol" "$key" --store "$work/elsewhere.db" && in_volume "$disk/vol" "$key" bash -c "seq 100000 >$disk/vol/old" || return 1
    in_volume "$disk/vol" "$key" "${probe[@]}" fill "$disk/vol/big" >"$work/answer" 2>"$work/written"
    written=$(grep -xE '[0-9]+' "$work/written")
    in_volume "$disk/vol" "$key" bash -c "
        ${probe[*]} append $disk/vol/old
        ${probe[*]} write-at $disk/vol/old 300000
        ${probe[*]} create $disk/vol/more
        [ \$(stat -c %s $disk/vol/big) = $written ] && [ \$(wc -c <$disk/vol/big) = $written ] && echo acknowledged" >>"$work/answer"
    in_volume "$disk/vol" "$key" bash -c "rm -f $disk/vol/big $disk/vol/more; sync -f $disk; seq 100000 >$disk/vol/again && cmp $disk/vol/again <(seq 100000) && echo again"  >>"$work/answer"
    in_volume "$disk/vol" "$key" bash -c "head -c 300000 $disk/vol/old | cmp - <(seq 100000 | head -c 300000) && echo old" >>"$work/answer"
    "$OVERLAY_CTL" verify "$disk/vol" --key-file "$key" >>"$log" 2>&1
    status=$?
    drop_quota quota
    note="$written bytes, then $(head -n 4 "$work/answer" | paste -sd ' ')"
    same "$status" 0 verify && same "$(head -n 1 "$work/answer")" EDQUOT && same "$(tail -n 3 "$work/answer" | paste -sd ' ')" "acknowledged again old"
}

# The counters that processes share are mapped: a store to a page that the full disk cannot give would be SIGBUS.
full_disk_counters() { # full_disk_counters [KIND of disk]
    local disk=$work/mount/counters kind=${1:-disk}
    "small_$kind" counters || return
    new_volume "$disk/vol" "$key" && in_volume "$disk/vol" "$key" bash -c "for i in {1..40}; do echo old >$disk/vol/f\$i; done" || return 1
    head -c 350m /dev/zero >"$disk/ballast" 2>/dev/null
    sync -f "$disk"
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
    "drop_$kind" counters
    same "$status" 0 "writing on the full disk" && ! grep -vxE 'old|new|ne' "$work/left"
}

# What is mapped stays where it lies there; else its room could be gone at any time.
full_disk_copying() { full_disk_counters copying; }

# A volume that came from a backup: its counters are one hole, and the disk has no room for them.
full_disk_restored_counters() {
    small_disk restored || return
    local disk=$work/mount/restored status
    new_volume "$disk/vol" "$key" && in_volume "$disk/vol" "$key" bash -c "echo old >$disk/vol/f" || return 1
    rm "$disk/vol/.overlay/coherence"
    truncate -s 2179072 "$disk/vol/.overlay/coherence"
    head -c 100m /dev/zero >"$disk/ballast" 2>/dev/null
    in_volume "$disk/vol" "$key" "${probe[@]}" write-at "$disk/vol/f" 0 >"$work/answer"
    rm "$disk/ballast"
    in_volume "$disk/vol" "$key" "${probe[@]}" write-at "$disk/vol/f" 0 >>"$work/answer"
    drop_disk restored
    same "$(paste -sd ' ' "$work/answer")" "ENOSPC ok"
}
