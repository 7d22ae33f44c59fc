#!/usr/bin/env bash
# Wrong key, missing agent, damage, foreign files, full disk: each the errno and the log line of docs/errors.md, and
# nothing lost.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/runner.sh"

# What is expected, row by row: name | what the program sees | the log line behind "overlay: ", a regular expression.
# "-" in the last column: no log line. The function fault_NAME (with _ for -) makes the situation, prints what it saw.
# Of a damaged file, "ok" says that reads which do not meet the damage still work. Each function restores what it broke.
EXPECTED='
nothing-wrong             | ok ok ok ok          | -
flipped-bit-in-block      | EIO ok               | .*/raw: .*block 5
flipped-bit-in-text       | EIO ok               | .*/text: .*block 5
flipped-bit-in-small-file | EIO                  | .*/small: .*block 0
flipped-bit-in-entry      | EIO ok               | .*/raw: .*block 5
flipped-bit-in-record     | EIO                  | .*/raw: .*(group|record)
flipped-bit-in-header     | EIO                  | .*/raw: .*header
zeroed-block              | EIO ok               | .*/raw: .*block 5
zeroed-entry              | EIO ok               | .*/raw: .*block 5
zeroed-record             | EIO                  | .*/raw: .*(group|record)
truncated-to-nothing      | EIO                  | .*/raw: .*
truncated-in-header       | EIO                  | .*/raw: .*
truncated-in-data         | EIO ok               | .*/raw: .*
swapped-blocks            | EIO EIO ok           | .*/raw: .*block (3|7)
block-of-another-file     | EIO ok               | .*/raw: .*block 5
file-of-another-volume    | EIO                  | .*/other: .*volume
write-to-damaged-block    | EIO ok               | .*/raw: .*block 5
replaced-by-older-header  | EIO                  | .*/raw: .*
unknown-version           | EPROTONOSUPPORT      | .*/raw: .*(version|newer)
unknown-feature           | EPROTONOSUPPORT      | .*/raw: .*(feature|newer)
foreign-file              | EILSEQ EILSEQ 6      | .*/foreign: .*
unknown-file-key          | ENOKEY ok            | .*/raw: .*key
wrong-key-file            | refused unread       | -
wrong-key-autostart       | ENOTCONN             | .*agent.*
no-agent                  | ENOTCONN ENOTCONN ok | .*agent.*
shared-mapping-damaged    | EIO ok               | .*/raw: .*block 5
lazy-mapping-damaged      | SIGBUS ok ok ok       | .*/large: .*block 900
damaged-program           | EIO                  | .*/program: .*block 1
log-in-a-volume           | EIO ok ok            | -
static-program            | EACCES               | .*/static: .*static
library-out-of-reach      | EACCES ok            | .*/echo: .*library
across-the-border         | EXDEV EXDEV EXDEV    | -
reflink                   | EOPNOTSUPP           | -
io-uring                  | ENOSYS               | -
native-poll               | EINVAL               | -
kernel-writes-by-itself   | EINVAL EINVAL EINVAL EINVAL | -
hidden-directory          | ENOENT ENOENT        | -
full-disk                 | ENOSPC ok ok ok      | -
full-disk-small-files     | ENOSPC ok            | -
'

[ "$OVERLAY_RUNNER" = overlay ] || { echo "faults need the built tree: nothing to do"; exit 0; }
runner_check || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-faults.XXXXXX")
chmod 755 "$work"
volume=$work/vol key=$work/key log=$work/log
probe=(/usr/bin/env python3 -S "$here/lib/probe.py")
damage=("$here/lib/damage.py")
trap 'umount "$work/disk" 2>/dev/null; [ -n "${keep:-}" ] || rm -rf "$work"' EXIT
keep=${KEEP:-}

inside() { in_volume "$volume" "$key" timeout -k 5 60 "$@" 2>>"$log"; }
see() { inside "${probe[@]}" "$@" | cut -d ' ' -f 1; }
try_all() { for arguments in "$@"; do eval "see $arguments"; done; }
digests() { for name in raw raw2 text small; do inside "${probe[@]}" read "$volume/$name"; done; }

# with_damage FILE COMMAND...: runs the command on a damaged file, then puts the backing file's bytes back, same inode
save() { cp --sparse=always "$volume/$1" "$work/saved"; stat -c %s "$volume/$1" >"$work/saved.size"; }
restore() {
    truncate -s 0 "$volume/$1"; truncate -s "$(cat "$work/saved.size")" "$volume/$1"
    dd if="$work/saved" of="$volume/$1" bs=64k conv=notrunc,sparse status=none
}
broken() { # FILE "DAMAGE ARGUMENTS" PROBE...
    local file=$1 how=$2
    shift 2
    save "$file"
    eval "${damage[*]} $how" || return
    try_all "$@"
    restore "$file"
}

raw=$volume/raw block=16384
at() { echo "read-at $1 $(($2 * block)) 100"; }
fault_nothing_wrong() { try_all "read $raw" "read $volume/text" "read $volume/small" "$(at "$raw" 30)"; }
fault_flipped_bit_in_block() { broken raw "flip $raw stored 5" "read $raw" "$(at "$raw" 6)"; }
fault_flipped_bit_in_text() { broken text "flip $volume/text stored 5" "read $volume/text" "$(at "$volume/text" 6)"; }
fault_flipped_bit_in_small_file() { broken small "flip $volume/small stored 0" "read $volume/small"; }
fault_flipped_bit_in_entry() { broken raw "flip $raw entry 5" "read $raw" "$(at "$raw" 6)"; }
fault_flipped_bit_in_record() { broken raw "flip $raw record 30" "read $raw"; }
fault_flipped_bit_in_header() { broken raw "flip $raw header" "read $raw"; }
fault_zeroed_block() { broken raw "zero $raw stored 5" "read $raw" "$(at "$raw" 6)"; }
fault_zeroed_entry() { broken raw "zero $raw entry 5" "read $raw" "$(at "$raw" 6)"; }
fault_zeroed_record() { broken raw "zero $raw record 30" "read $raw"; }
fault_truncated_to_nothing() { broken raw "cut $raw 0" "read $raw"; }
fault_truncated_in_header() { broken raw "cut $raw 200" "read $raw"; }
fault_truncated_in_data() { broken raw "cut $raw 1000000" "read $raw" "$(at "$raw" 3)"; }
fault_swapped_blocks() { broken raw "swap $raw 3 7" "$(at "$raw" 3)" "$(at "$raw" 7)" "$(at "$raw" 4)"; }
fault_block_of_another_file() { broken raw "transplant $volume/raw2 5 $raw 5" "$(at "$raw" 5)" "$(at "$raw" 4)"; }
fault_write_to_damaged_block() {
    broken raw "flip $raw stored 5" "write-at $raw $((5 * block + 10))" "write-at $raw $((6 * block + 10))"
}
fault_unknown_version() { broken raw "byte $raw 8 2" "read $raw"; }
fault_unknown_feature() { broken raw "byte $raw 14 128" "read $raw"; }

fault_file_of_another_volume() {
    cp -a --sparse=always "$work/vol2/raw" "$volume/other"
    see read "$volume/other"
    rm "$volume/other"
}
fault_replaced_by_older_header() { # header of an earlier state, whose size and intervals fit nothing any more
    save raw
    head -c 256 "$volume/raw2" | dd of="$raw" conv=notrunc status=none
    see read "$raw"
    restore raw
}
fault_foreign_file() {
    echo plain >"$volume/foreign"
    try_all "read $volume/foreign" "append $volume/foreign"
    stat -c %s "$volume/foreign"
    rm "$volume/foreign"
}
fault_unknown_file_key() {
    local database=$volume/.overlay/store.db
    cp -a "$volume/.overlay" "$work/overlay.saved"
    sqlite3 "$database" "delete from file where file_id = x'$(od -An -v -tx1 -j 16 -N 16 "$raw" | tr -d ' \n')'" 2>>"$log"
    see read "$raw"
    rm -rf "$volume/.overlay"; mv "$work/overlay.saved" "$volume/.overlay"
    see read "$raw"
}
fault_wrong_key_file() {
    in_volume "$volume" "$work/wrong" cat "$raw" >"$work/out" 2>"$work/refusal" && echo started || echo refused
    [ -s "$work/out" ] && echo "read something" || echo unread
}
preloaded() { env LD_PRELOAD="$OVERLAY_SHIM" OVERLAY_VOLUMES="$volume" "$@" 2>>"$log"; }
fault_wrong_key_autostart() {
    preloaded OVERLAY_KEY_FILE="$work/wrong" timeout -k 5 60 "${probe[@]}" read "$raw" | cut -d ' ' -f 1
}
fault_no_agent() {
    preloaded timeout -k 5 60 "${probe[@]}" read "$raw" | cut -d ' ' -f 1
    preloaded timeout -k 5 60 "${probe[@]}" create "$volume/new" | cut -d ' ' -f 1
    preloaded timeout -k 5 60 "${probe[@]}" read /etc/passwd | cut -d ' ' -f 1
    rm -f "$volume/new"
}
fault_shared_mapping_damaged() { broken raw "flip $raw stored 5" "map-shared $raw"; see map-shared "$raw"; }
fault_lazy_mapping_damaged() { # in the same unit, in another, and whole again
    inside sh -c "head -c 20000000 /dev/urandom >$volume/large"
    broken large "flip $volume/large stored 900" "map-private $volume/large $((900 * block + 5000))" \
        "map-private $volume/large $((901 * block + 5000))" "map-private $volume/large $((899 * block + 5000))"
    see map-private "$volume/large" $((900 * block + 5000))
    inside rm "$volume/large"
}
fault_damaged_program() {
    inside cp /bin/true "$volume/program"
    broken program "flip $volume/program stored 1" "exec $volume/program"
    inside rm "$volume/program"
}
# The lines about faults, of the engine and of the filter, have no place in a sealed file.
fault_log_in_a_volume() {
    save raw
    eval "${damage[*]} flip $raw stored 5"
    : >"$work/no-elf" && chmod 755 "$work/no-elf" && printf '\177ELF\1\1\1' >"$work/no-elf" && truncate -s 200 "$work/no-elf"
    inside sh -c "'${probe[0]}' ${probe[*]:1} read '$raw' 2>'$volume/errors'; '$work/no-elf' 2>>'$volume/errors'" | cut -d ' ' -f 1
    restore raw
    see read "$volume/errors"
    inside grep -q . "$volume/errors" && echo ok
    inside rm "$volume/errors"
}
fault_static_program() {
    echo 'int main(void) { return 0; }' | cc -static -x c - -o "$work/static" 2>/dev/null || { echo "skip: no static libc"; return; }
    inside cp "$work/static" "$volume/static"
    see exec "$volume/static"
    inside rm "$volume/static"
}
fault_library_out_of_reach() {
    [ "$(id -u)" = 0 ] || { echo "skip: needs root"; return; }
    command -v setpriv >/dev/null || { echo "skip: no setpriv"; return; }
    mkdir -m 700 "$work/private"
    cp -a "$OVERLAY_OUT" "$work/private/out"
    # The loader would go on without what it cannot open, and the program would write plaintext into the sealed file.
    OVERLAY_CTL=$work/private/out/bin/overlay-ctl inside sh -c '
        : >"$1"; chmod 666 "$1"; chmod 755 "${1%/*}"
        setpriv --reuid 65534 --regid 65534 --clear-groups /bin/echo plaintext >>"$1"' - "$volume/reached"
    grep -q 'Permission denied' "$log" && echo EACCES
    grep -qa plaintext "$volume/reached" || echo ok
    inside rm "$volume/reached"
    rm -rf "$work/private"
}
fault_across_the_border() {
    try_all "rename $raw $work/beyond" "link $raw $work/beyond" "rename $work/key $volume/in"
    rm -f "$work/beyond"
}
fault_reflink() { see clone "$raw" "$volume/cloned"; inside rm -f "$volume/cloned"; }
fault_io_uring() { see io_uring; }
fault_native_poll() { see native_poll; }
fault_kernel_writes_by_itself() { try_all "swap_on $raw" "account $raw" "set_loop $raw" "remap $raw"; }
fault_hidden_directory() { try_all "size $volume/.overlay" "read $volume/.overlay/config.json"; }

# A real small disk: what was acknowledged stays readable, a deleted file makes room, nothing is torn.
small_disk() {
    [ "$(id -u)" = 0 ] || { echo "skip: needs root"; return 1; }
    mkdir -p "$work/disk"
    mount -t tmpfs -o size=8m none "$work/disk" 2>/dev/null || { echo "skip: cannot mount"; return 1; }
    new_volume "$work/disk/vol" "$key" >>"$log" 2>&1
}
on_disk() { in_volume "$work/disk/vol" "$key" timeout -k 5 60 "$@"; }
fault_full_disk() {
    small_disk || return
    on_disk cp "$here/../../docs/format.md" "$work/disk/vol/before" 2>>"$log"
    on_disk "${probe[@]}" fill "$work/disk/vol/big" 2>"$work/filled"
    grep -v '^[0-9]*$' "$work/filled" >>"$log"
    local acknowledged; acknowledged=$(grep -m 1 '^[0-9]*$' "$work/filled")
    [ "${acknowledged:-0}" -gt 1000000 ] && on_disk cmp -n "$acknowledged" "$work/disk/vol/big" <(python3 -c "
import hashlib, sys
data = hashlib.shake_256(b'fill').digest(65536)
sys.stdout.buffer.write((data * ($acknowledged // len(data) + 1))[:$acknowledged])") 2>>"$log" && echo ok
    on_disk cmp "$work/disk/vol/before" "$here/../../docs/format.md" 2>>"$log" && echo ok
    on_disk rm "$work/disk/vol/big" 2>>"$log"
    on_disk "${probe[@]}" create "$work/disk/vol/after" 2>>"$log"
    umount "$work/disk"
}
fault_full_disk_small_files() {
    small_disk || return
    on_disk bash "$here/lib/small_files.sh" make "$work/disk/vol" >"$work/made" 2>"$work/complaints"
    grep '^overlay: ' "$work/complaints" >>"$log"
    grep -q 'No space left' "$work/complaints" && echo ENOSPC
    on_disk bash "$here/lib/small_files.sh" check "$work/disk/vol" "$(cat "$work/made")" 2>>"$log"
    umount "$work/disk"
}

prepare() {
    new_key "$key"
    new_key "$work/wrong"
    new_volume "$volume" "$key" && new_volume "$work/vol2" "$key" || return 1
    python3 "$here/lib/inputs.py" "$work/inputs" || return 1
    cat "$work/inputs/random.bin" "$work/inputs/random.bin" >"$work/inputs/raw"
    tac "$work/inputs/random.bin" >"$work/inputs/raw2"
    head -c 900 "$work/inputs/text.txt" >"$work/inputs/small-text"
    inside cp "$work/inputs/raw" "$work/inputs/raw2" "$volume/" &&
        inside cp "$work/inputs/text.txt" "$volume/text" && inside cp "$work/inputs/small-text" "$volume/small" &&
        in_volume "$work/vol2" "$key" cp "$work/inputs/raw" "$work/vol2/raw" &&
        before=$(digests)
}

# judge NAME EXPECTED PATTERN: runs one row and prints its verdict
judge() {
    local seen wrong=
    : >"$log"
    seen=$("fault_${1//-/_}" 2>&1 | paste -sd ' ')
    case $seen in skip*) echo "skip $1 (${seen#skip: })"; skipped=$((skipped + 1)); return ;; esac
    [ "$seen" = "$2" ] || wrong+="
     the program saw: $seen
     expected:        $2"
    if [ "$3" = - ]; then
        grep -q '^overlay: ' "$log" && wrong+="
     no log line was expected"
    else
        grep -qE "^overlay: $3" "$log" || wrong+="
     no log line like: overlay: $3"
    fi
    if [ -n "$wrong" ]; then
        echo "FAIL $1$wrong"
        head -n 4 "$log" | cut -c 1-200 | sed 's/^/     log: /'
        failed=$((failed + 1))
    else
        echo "ok $1: $seen"
        passed=$((passed + 1))
    fi
}

passed=0 failed=0 skipped=0
prepare || { echo "the volume for the faults could not be made"; cat "$log"; exit 1; }
while IFS='|' read -r name outcome pattern; do
    [ -z "${name// /}" ] && continue
    [[ ${name// /} == *"${1:-}"* ]] || continue
    judge "${name// /}" "$(echo $outcome)" "$(echo "$pattern" | sed 's/^ *//; s/ *$//')"
done <<<"$EXPECTED"
: >"$log"
if [ "$(digests)" = "$before" ]; then echo "ok nothing-lost"; passed=$((passed + 1)); else
    echo "FAIL nothing-lost: the files differ from what was written"; cat "$log"; failed=$((failed + 1))
fi
[ $skipped = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
