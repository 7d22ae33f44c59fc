#!/usr/bin/env bash
# Every test: the .NET projects, then real programs under the shim. Ends with "N passed, N failed"; fails if any failed.
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0

count() { # count NAME PASSED FAILED
    printf '%-24s %5d passed, %d failed\n' "$1" "$2" "$3"
    passed=$((passed + $2))
    failed=$((failed + $3))
}

for project in tests/*/*.Tests.csproj; do
    name=$(basename "$project" .csproj)
    log=$(mktemp)
    timeout -k 10 900 dotnet test "$project" -c Release -v q --nologo --logger "console;verbosity=normal" >"$log" 2>&1
    status=$?
    ok=$(sed -nE 's/^ *Passed: *([0-9]+).*/\1/p' "$log" | tail -n 1)
    bad=$(sed -nE 's/^ *Failed: *([0-9]+).*/\1/p' "$log" | tail -n 1)
    # A run that ended without a summary is itself a failure.
    [ "$status" -ne 0 ] && [ "${bad:-0}" -eq 0 ] && bad=1
    [ "${bad:-0}" -gt 0 ] && grep -vE '^\s*Passed ' "$log" | tail -n 80
    count "$name" "${ok:-0}" "${bad:-0}"
    rm -f "$log"
done

for suite in tests/programs/{run,faults,keeper,control,keys,rekey,doctor,tampering,transfer,audit,policy,comfort,terminal,hard_faults}.sh tests/fuzz/run.sh tests/torture/{run,nonces}.sh; do
    [ -x "$suite" ] || continue
    log=$(mktemp)
    timeout -k 10 900 "$suite" 2>&1 | tee "$log" | grep -av ' passed, '
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -n "$line" ]; then
        count "$suite" "$(echo "$line" | cut -d' ' -f1)" "$(echo "$line" | cut -d' ' -f3)"
    else
        count "$suite" 0 1
    fi
    rm -f "$log"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
