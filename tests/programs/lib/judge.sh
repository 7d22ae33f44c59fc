# The checks. Each leaves a file in problems/ if it finds one.

problem() { cat >"$1/problems/$2"; [ -s "$1/problems/$2" ] || rm "$1/problems/$2"; }

# A case that fails in a plain directory is a fault of the scenario: it would compare nothing.
judge_plain() {
    local work=$1 status
    for status in "$work"/plain.out/*.status; do
        [ "$(cat "$status")" = "exit status 0" ] && continue
        echo "$(basename "$status" .status): $(cat "$status")"
        tail -n 8 "${status%.status}.stdout" "${status%.status}.stderr"
    done 2>&1 | problem "$work" scenario-fails-in-plain-directory
    [ -s "$work/plain.log" ] && problem "$work" scenario-log <"$work/plain.log"
}

judge_same() {
    local work=$1 kind file name
    for kind in status stdout stderr; do
        for file in "$work"/plain.out/*."$kind"; do
            name=$(basename "$file")
            diff -a -u --label "plain/$name" --label "sealed/$name" "$file" "$work/sealed.out/$name" | head -n 12
        done 2>&1 | problem "$work" "$kind"
    done
    [ -s "$work/sealed.log" ] && problem "$work" run-log <"$work/sealed.log"
    "$here/lib/manifest.py" diff "$work/plain.out/manifest" "$work/sealed.out/manifest" \
        --since "$SINCE" --volatile "$work/plain.out/volatile" 2>&1 | problem "$work" files-as-the-program-sees-them
    "$here/lib/manifest.py" make "$work/plain.outside" >"$work/plain.outside.manifest"
    "$here/lib/manifest.py" make "$work/outside" >"$work/outside.manifest"
    [ ! -s "$work/plain.outside.manifest" ] ||
        "$here/lib/manifest.py" diff "$work/plain.outside.manifest" "$work/outside.manifest" --since "$SINCE" 2>&1 |
        problem "$work" files-moved-out-of-the-volume
}

# From outside: is everything sealed, and is nothing of the plaintext there?
judge_stored() {
    local work=$1 scan
    # Names are not secret: also those of files that are gone, which the store remembers.
    [ "$OVERLAY_RUNNER" != overlay ] ||
        sqlite3 "$work/vol/.overlay/store.db" "SELECT path FROM file" >"$work/baseline/names" ||
        echo "the names in the store cannot be read" | problem "$work" plaintext-on-disk
    scan=("$TOOLS/scan" -m "$MARKER" -x "$work/baseline" -n "$work/plain" -p "$work/plain" -p "$RUN/inputs" "$work/vol")
    if [ "$OVERLAY_RUNNER" != overlay ]; then
        # Here the volume is plain: a scanner that finds nothing is blind.
        "${scan[@]}" >"$work/scan.log" 2>&1
        [ $? = 1 ] || echo "the scanner finds no plaintext in a plain directory" | problem "$work" scanner-blind
        return
    fi
    "${scan[@]}" 2>&1 | problem "$work" plaintext-on-disk
    "$here/lib/check_sealed.py" "$work/vol" 2>&1 | problem "$work" not-sealed
}

# The same again by new processes and a new agent: nothing may live only in a cache.
judge_again() {
    local work=$1 key=$2
    [ -e "$work/sealed.out/manifest" ] || return
    in_volume "$work/vol" "$key" timeout -k 10 120 "$here/lib/manifest.py" make "$work/vol" \
        >"$work/manifest.again" 2>"$work/again.log"
    { cat "$work/again.log"
      "$here/lib/manifest.py" diff "$work/sealed.out/manifest" "$work/manifest.again"; } 2>&1 \
        | problem "$work" read-again-by-a-new-run
}
