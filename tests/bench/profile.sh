#!/usr/bin/env bash
# profile.sh OPERATION COUNT [SIDE]: where the time of an operation of tools/operations.c goes, by perf. The engine's names come from
# out/stage/engine/liboverlay-engine.so.dbg, which is put beside the engine for it. TMPDIR says on which file system.
set -u
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$bench/lib/operations.sh"
[ $# -ge 2 ] || { sed -n 's/^# //p' "$0" | head -n 2; exit 2; }
operation=$1 count=$2 side=${3:-overlay}

command -v perf >/dev/null || { echo "perf is not installed" >&2; exit 2; }
out=${OVERLAY_OUT:-$repository/out}
[ ! -e "$out/stage/engine/liboverlay-engine.so.dbg" ] || cp "$out/stage/engine/liboverlay-engine.so.dbg" "$out/lib/overlay/" || exit 2
operations_start "$side"
in_new_directory "$side" "$operation" "$count" || exit 1
perf record -q -e cpu-clock -F 5000 -o "$work/perf.data" \
    env "${environment[@]}" "$work/operations" "$operation" "$here" "$count" "$work/text" 2>"$work/perf.log" || { cat "$work/perf.log"; exit 1; }
echo "$operation on $side, share of the samples by place:"
perf report -i "$work/perf.data" --stdio -F overhead,dso 2>/dev/null | sed -n '/^ *[0-9.]*%/p' | head -n 8
echo "by function:"
perf report -i "$work/perf.data" --stdio -F overhead,dso,symbol 2>/dev/null | sed -n '/^ *[0-9.]*%/p' | head -n 40
