# One scenario, from empty directories to a verdict. Both runs use the same path one after the other, so that
# programs which print absolute paths print the same.

# header FILE FIELD: "# field: value" at the top of a scenario
header() { sed -n "s/^# $2: //p" "$1" | head -n 1; }

missing_programs() {
    local program
    for program in $(header "$1" needs); do
        command -v "$program" >/dev/null || printf '%s ' "$program"
    done
}

run_scenario() {
    local name=$1 file=$here/scenarios/$1.sh started=$EPOCHREALTIME
    local work=$RUN/$name missing line
    missing=$(missing_programs "$file")
    if [ -n "$missing" ]; then
        line="skip $name (missing: ${missing% })"
    else
        mkdir -p "$work/problems"
        execute "$name" "$file" "$work"
        if [ -z "$(ls "$work/problems")" ]; then
            line="ok $name ($(summary "$work" "$started"))"
            [ "$keep" = yes ] || rm -rf "$work"
        else
            line="FAIL $name ($(summary "$work" "$started")) see $work"
        fi
    fi
    { echo "$line"; report "$work"; } >"$RUN/$name.verdict"
    cat "$RUN/$name.verdict"
}

summary() {
    local cases left
    cases=$(find "$1/plain.out" -name '*.status' 2>/dev/null | wc -l)
    left=$(find "$1/plain.out" -name '*.skipped' 2>/dev/null | wc -l)
    printf '%d cases' "$cases"
    [ "$left" = 0 ] || printf ', %d of them skipped: %s' "$left" "$(sort -u "$1"/plain.out/*.skipped | paste -sd ' ')"
    printf ', %.1f s' "$(echo "$EPOCHREALTIME - $2" | bc)"
}

# Each problem is a file in problems/, named for the check that found it.
report() {
    local problem
    for problem in "$1"/problems/*; do
        [ -e "$problem" ] || continue
        echo "  -- $(basename "$problem")"
        head -n 30 "$problem" | cut -c 1-220 | sed 's/^/     /'
    done
}

execute() {
    local name=$1 file=$2 work=$3 volume=$3/vol key=$3/key limit
    limit=$(header "$file" limit)
    export SINCE; SINCE=$(date +%s)
    export MARKER; MARKER="marker-$name-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"

    # A plain directory next to the volume, for what crosses the border; also the same path both times.
    export OUTSIDE=$work/outside
    mkdir "$volume" "$OUTSIDE"
    timeout -k 10 "${limit:-240}" "$here/lib/cases.sh" "$file" "$volume" "$work/plain.out" >"$work/plain.log" 2>&1
    mv "$volume" "$work/plain"
    mv "$OUTSIDE" "$work/plain.outside"
    mkdir "$OUTSIDE"
    judge_plain "$work"

    new_key "$key"
    if ! new_volume "$volume" "$key" >"$work/init.log" 2>&1; then
        cp "$work/init.log" "$work/problems/init"
        return
    fi
    mkdir -p "$work/baseline"
    cp -r "$volume/.overlay" "$work/baseline/" 2>/dev/null
    in_volume "$volume" "$key" \
        timeout -k 10 "${limit:-240}" "$here/lib/cases.sh" "$file" "$volume" "$work/sealed.out" >"$work/sealed.log" 2>&1
    judge_same "$work"
    judge_stored "$work"
    judge_again "$work" "$key"
}
