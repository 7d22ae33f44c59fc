#!/usr/bin/env bash
# calls.sh [SIDE]: the system calls of an operation, plain and on a side (overlay), as a Markdown table: what strace counts in
# 1,100 operations less what it counts in 100, over 1,000. Counts do not depend on how busy the machine is.
set -u
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$bench/lib/operations.sh"
side=${1:-overlay}
operations='stat open-read-close-again open-read-close-another open-append-close create-write-close rename unlink
    pread-4k-hot pread-4k pread-128k pwrite-4k pwrite-16k pwrite-128k append-100 append-100-fsync'

# counted SIDE OPERATION COUNT FILE: lines "CALL NUMBER", in a directory that nothing was done in yet
counted() {
    in_new_directory "$1" "$2-$3" 1100 || return
    strace -f -c -o "$work/summary" env "${environment[@]}" "$work/operations" "$2" "$here" "$3" "$work/text" || return
    awk '$1 ~ /^[0-9.]+$/ && $NF != "total" { print $NF, $4 }' "$work/summary" | sort >"$4"
}

# per_operation SIDE OPERATION: "SUM: NUMBER CALL, NUMBER CALL ..."
per_operation() {
    counted "$1" "$2" 100 "$work/few" && counted "$1" "$2" 1100 "$work/many" || { echo failed; return; }
    join -a 1 -e 0 -o 0,1.2,2.2 "$work/many" "$work/few" | awk '
        { each = ($2 - $3) / 1000 }
        each >= 0.01 { sum += each; text[++lines] = sprintf("%.3g %s", each, $1) }
        END { printf "**%.3g**", sum; for (i = 1; i <= lines; i++) printf "%s %s", i == 1 ? ":" : ",", text[i] }'
}

command -v strace >/dev/null || { echo "strace is not installed" >&2; exit 2; }
operations_start plain "$side"
echo "| operation | plain | $side |"
echo "|---|---|---|"
for operation in $operations; do
    echo "| $operation | $(per_operation plain "$operation") | $(per_operation "$side" "$operation") |"
done
