#!/usr/bin/env bash
# make demo: the main job, start to end, on real programs. Everything lies in DEMO_DIR (default /tmp/demo) and may be
# looked at afterwards; the next run starts afresh.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/runner.sh"
runner_check || exit 2

demo=${DEMO_DIR:-/tmp/demo}
vault=$demo/vault key=$demo/key
mark=$demo/.made-by-overlay-demo
bold=$(tput bold 2>/dev/null) plain=$(tput sgr0 2>/dev/null)
[ -t 1 ] || bold='' plain=''

fresh_directory() {
    if [ -e "$demo" ] && [ ! -e "$mark" ]; then
        echo "$demo exists and is not of an earlier demo; set DEMO_DIR" >&2
        exit 2
    fi
    rm -rf "$demo"
    mkdir -p "$demo"
    : >"$mark"
}

title() { printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"; }

make_vault() {
    title "A new vault"
    new_key "$key"
    echo "  \$ overlay-ctl init $vault --key-file $key"
    new_volume "$vault" "$key" | sed 's/^/    /'
    [ "${PIPESTATUS[0]}" = 0 ] || exit 1
}

work_inside() {
    title "Programs at work in it"
    echo "  \$ overlay-ctl run --volume $vault --key-file $key -- bash"
    mkdir -p "$demo/archive"
    (cd "$demo/archive" && mkdir notes && for day in mon tue wed; do
        seq -f "$day, patient %05.0f: nothing unusual" 400 >notes/$day.txt; done && tar -czf ../notes.tar.gz notes)
    rm -r "$demo/archive"
    DEMO=$demo in_volume "$vault" "$key" bash "$here/lib/demo_session.sh" "$vault" 2>&1 | sed 's/^/    /'
    [ "${PIPESTATUS[0]}" = 0 ] || { echo "  the session failed" >&2; exit 1; }
}

# What a program sees of a file, and what the disk holds: one row.
both_sides() {
    title "What the program sees  |  what is on disk"
    printf '  %-18s %9s  %-26s | %10s  %s\n' file size 'first bytes' 'disk space' 'first bytes'
    local name shown object look='stat -c %s "$1"; head -c 24 "$1" | tr -c "[:print:]" .'
    object=$(cd "$vault" && find repo/.git/objects -type f | sort | head -n 1)
    for name in app.db notes/mon.txt report.json ledger.txt "$object"; do
        [ -e "$vault/$name" ] || continue
        shown=$(in_volume "$vault" "$key" bash -c "$look" - "$vault/$name")
        printf '  %-18s %9s  %-26s | %9sK  %s\n' "${name:0:18}" "${shown%%$'\n'*}" "\"${shown#*$'\n'}\"" \
            "$(du -k "$vault/$name" | cut -f 1)" "$(od -An -tx1 -N 14 "$vault/$name" | sed 's/^ //')"
    done
    echo
    echo "  the first 96 bytes of ledger.txt, inside:"
    in_volume "$vault" "$key" head -c 96 "$vault/ledger.txt" | sed 's/^/    /'
    # Where its first block lies: a hole or a table of entries would show less.
    local offset
    offset=$("$here/lib/damage.py" show "$vault/ledger.txt" 2>/dev/null |
        sed -n 's/^block 0:.*stored at \([0-9]*\),.*/\1/p')
    echo; echo "  and 96 bytes of it from outside, where its first block is stored:"
    od -A d -t x1z -j "${offset:-0}" -N 96 "$vault/ledger.txt" | sed 's/^/    /'
    echo
    local found
    found=$(grep -rlaF -e 'nothing unusual' -e 'CREATE TABLE payments' "$vault" | wc -l)
    echo "  files on disk in which grep finds what was written: $found"
    [ "$found" = 0 ] || [ "$OVERLAY_RUNNER" != overlay ] || exit 1
}

over=0
# size_row NAME TREE BOUND: copies the tree into the vault and compares the disk space
size_row() {
    in_volume "$vault" "$key" cp -r "$2" "$vault/$1" || exit 1
    sync -f "$vault"
    local before after ratio files verdict=ok
    files=$(find "$2" -type f | wc -l)
    before=$(du -sk "$2" | cut -f 1) after=$(du -sk "$vault/$1" | cut -f 1)
    ratio=$(awk -v a="$after" -v b="$before" 'BEGIN { printf "%.3f", a / b }')
    awk -v r="$ratio" -v bound="$3" 'BEGIN { exit !(r > bound) }' && { verdict=OVER; over=1; }
    printf '  %-26s %7s %9sK %9sK  x %-6s at most %-5s %s\n' "$4" "$files" "$before" "$after" "$ratio" "$3" "$verdict"
}

sizes() {
    title "Size before and after (du)"
    "$here/lib/demo_trees.sh" "$demo/trees" || exit 1
    printf '  %-26s %7s %10s %10s  %s\n' tree files plain sealed ratio
    size_row text "$demo/trees/text" 0.9 "text"
    size_row small "$demo/trees/small" 1.1 "small files"
    size_row random "$demo/trees/random" 1.02 "incompressible"
    in_volume "$vault" "$key" diff -r "$demo/trees/text" "$vault/text" || exit 1
    echo; echo "  and read back, nothing differs (diff -r of the text tree)"
    rm -rf "$demo/trees"
}

fresh_directory
make_vault
work_inside
both_sides
sizes
title "Look around"
echo "  $OVERLAY_CTL run --volume $vault --key-file $key -- bash"
echo "  $OVERLAY_CTL inspect $vault/app.db"
echo "  rm -rf $demo          (nothing lies elsewhere)"
exit $over
