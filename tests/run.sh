#!/usr/bin/env bash
# Every test: the .NET projects and, beside them, real programs under the shim. Ends with "N passed, N failed"; fails if any failed.
set -u
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # count NAME PASSED FAILED
    printf '%-24s %5d passed, %d failed\n' "$1" "$2" "$3"
    echo "$2 $3" >>"$work/counts"
}

projects() {
    local project log=$work/project
    for project in tests/*/*.Tests.csproj; do
        timeout -k 10 900 dotnet test "$project" -c Release -v q --nologo --logger "console;verbosity=normal" >"$log" 2>&1
        local status=$? ok bad
        ok=$(sed -nE 's/^ *Passed: *([0-9]+).*/\1/p' "$log" | tail -n 1)
        bad=$(sed -nE 's/^ *Failed: *([0-9]+).*/\1/p' "$log" | tail -n 1)
        # A run that ended without a summary is itself a failure.
        [ "$status" -ne 0 ] && [ "${bad:-0}" -eq 0 ] && bad=1
        [ "${bad:-0}" -gt 0 ] && grep -vE '^\s*Passed ' "$log" | tail -n 80
        count "$(basename "$project" .csproj)" "${ok:-0}" "${bad:-0}"
    done
}

suite() {
    local log=$work/suite line
    timeout -k 10 900 "$1" 2>&1 | tee "$log" | grep -av ' passed, '
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -n "$line" ]; then
        count "$1" "$(echo "$line" | cut -d' ' -f1)" "$(echo "$line" | cut -d' ' -f3)"
    else
        count "$1" 0 1
    fi
}

# Two cores, and most suites wait more than they work: the projects run beside them.
projects >"$work/projects" 2>&1 &
for name in run faults keeper control keys killed rekey doctor tampering transfer audit policy comfort terminal hard_faults; do
    suite "tests/programs/$name.sh"
done
wait
cat "$work/projects"
# After the projects: it builds parts of them, too.
suite tests/fuzz/run.sh
suite tests/torture/run.sh
suite tests/torture/nonces.sh

awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$work/counts"
