#!/usr/bin/env bash
# Fuzzing that is guided by coverage: afl++ makes the inputs, SharpFuzz's instrumentation of our assemblies tells it what they reached. Needs
# Debian's afl++ and the dotnet tool SharpFuzz.CommandLine, which is fetched. Findings are kept as run.sh's are, and are run again by it.
# usage: guided.sh [--minutes N] [--target NAME]; N minutes for each target, 2 by default
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
targets=(header index expansion file config packet agent store) minutes=2 passed=0 failed=0
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) shift; minutes=$1 ;;
        --target) shift; targets=("$1") ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
done
command -v afl-fuzz >/dev/null || { echo "skip: afl-fuzz is missing; install afl++"; echo "0 passed, 0 failed"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/overlay-guided.XXXXXX")
trap '[ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT

# Built anew for this: instrumented assemblies must not be mistaken for others.
said=$(dotnet build "$here/Overlay.Fuzz.csproj" -c Release -v q --nologo -o "$work/bin" 2>&1 &&
    dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tools" 2>&1) || { echo "$said"; echo "0 passed, 1 failed"; exit 1; }
for assembly in Overlay.Crypto Overlay.Metadata Overlay K4os.Compression.LZ4; do
    "$work/tools/sharpfuzz" "$work/bin/$assembly.dll" || { echo "0 passed, 1 failed"; exit 1; }
done

export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_QUIET=1
export DOTNET_TieredPGO=0 DOTNET_gcServer=0 DOTNET_gcConcurrent=0
run=(dotnet "$work/bin/Overlay.Fuzz.dll" --directory "$here")
stat_of() { sed -nE "s/^$1 *: *//p" "$work/$target/default/fuzzer_stats"; }
for target in "${targets[@]}"; do
    mkdir -p "$work/seeds/$target"
    "${run[@]}" --target "$target" --guided seeds --input "$work/seeds/$target" >"$work/$target.log" 2>&1
    # The map is as large as SharpFuzz's; -m none: .NET reserves address space.
    afl-fuzz -i "$work/seeds/$target" -o "$work/$target" -t 20000 -m none -V "$(awk "BEGIN { print int($minutes * 60) }")" -- \
        "${run[@]}" --target "$target" --guided run >>"$work/$target.log" 2>&1
    if [ ! -s "$work/$target/default/fuzzer_stats" ]; then
        echo "FAIL $target: it did not run"
        tail -n 20 "$work/$target.log" | sed 's/^/     /'
        failed=$((failed + 1))
        continue
    fi
    found=0
    for input in "$work/$target/default/"{crashes,hangs}/id*; do
        [ -e "$input" ] || continue
        found=$((found + 1))
        mkdir -p "$here/findings"
        cp "$input" "$here/findings/$target-guided-$found"
        echo "FOUND $target, kept as $here/findings/$target-guided-$found"
        timeout 60 "${run[@]}" --target "$target" --input "$input" 2>&1 | grep FOUND | cut -c 1-600
    done
    what=ok
    [ $found = 0 ] || what=FAIL
    echo "$what $target: $(stat_of execs_done) executions, $(stat_of edges_found) edges, $(stat_of corpus_count) inputs, $(stat_of execs_per_sec) a second"
    if [ $found = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
