#!/usr/bin/env bash
# overlay-ctl verify and repair, on volumes that somebody has been at. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=tampering
. "$here/lib/verbs.sh"
key=(--key-file key)
inside() { timeout 60 "$ctl" run --volume v "${key[@]}" -- bash -c "$1" >log 2>&1; }
fresh() { # the volume as it was made
    rm -rf v && cp -a --sparse=always made v
}
change() { # change FILE OFFSET: another byte there
    python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1); f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}
copy_part() { # copy_part FROM TO OFFSET COUNT
    python3 -c 'import sys; a, b, o, n = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]); f = open(a, "rb"); f.seek(o); d = f.read(n); g = open(b, "r+b"); g.seek(o); g.write(d)' "$@"
}
found() { # found KIND PATH [BLOCK]: in the JSON of the last verify
    python3 - "$@" >>log 2>&1 <<'P'
import json, sys
report = json.load(open("report"))
every = report["findings"] + report["unchecked"] + report["notes"]
sys.exit(not any(f["kind"] == sys.argv[1] and f["path"] == sys.argv[2] and f["cause"] and f["remedy"] and
                 (len(sys.argv) < 4 or f.get("block") == int(sys.argv[3])) for f in every))
P
}
verify() { # verify STATUS
    timeout -k 5 120 "$ctl" verify v "${key[@]}" --json >report 2>log </dev/null
    local status=$?
    cat report >>log
    [ $status = "$1" ] || { echo "exit status $status, not $1" >>log; return 1; }
}

"$ctl" init v "${key[@]}" >log 2>&1
inside 'cd v; mkdir d; echo small >a; head -c 3000000 /dev/urandom >big; seq 100000 >d/seq; truncate -s 5M hole; echo end >>hole; ln a link; ln -s a symlink; mkfifo fifo; : >empty'
"$ctl" verify v "${key[@]}" >/dev/null 2>&1 # whatever the agent was told is in the store
cp -a --sparse=always v made

verify 0 && python3 -c 'import json; d = json.load(open("report")); assert d["result"] == "clean" and d["files"] == 5 and d["findings"] == [], d' 2>>log
verdict verify-a-clean-volume $?
ends_with 0 "$ctl" verify v "${key[@]}" && grep -q '5 files.*0 findings' log && ends_with 0 "$ctl" verify v "${key[@]}" --quiet --jobs 3 && [ ! -s log ]
verdict verify-says-nothing-when-quiet $?
head -c 32 /dev/urandom >other
ends_with 4 "$ctl" verify v --key-file other
verdict verify-with-the-wrong-key $?
ends_with 3 "$ctl" verify d "${key[@]}" && ends_with 2 "$ctl" verify v "${key[@]}" --jobs 0
verdict verify-of-no-volume-or-with-no-jobs $?

change v/big 60 && change v/d/seq 290 && change v/hole 1990000 && chmod 644 v/a && verify 5 && found damaged-header big && found damaged-record d/seq && found unmarked a
verdict verify-finds-changed-headers-records-and-lost-marks $?
fresh
"$here/lib/damage.py" flip v/big stored 33 && verify 5 && found damaged-block big 33 && ends_with 5 "$ctl" verify v "${key[@]}" --quiet && grep -q '^big: damaged-block: block 33 .*stored at .*Remedy: ' log
verdict verify-finds-a-changed-block-and-says-what-to-do $?
fresh
: >v/a && echo plain >v/plain && cp --sparse=always v/big v/copy && verify 5 && found damaged-header a && found not-sealed plain && found same-id copy
verdict verify-finds-cut-plain-and-copied-files $?
fresh
"$ctl" init w --key-file otherkey >log 2>&1 && timeout 60 "$ctl" run --volume w --key-file otherkey -- sh -c 'echo foreign >w/f' && cp -a w/f v/foreign && verify 5 && found foreign-volume foreign
verdict verify-finds-a-file-of-another-volume $?
python3 -c 'import sqlite3; c = sqlite3.connect("v/.overlay/store.db"); c.execute("DELETE FROM file WHERE path = ?", ("a",)); c.commit()' && rm v/d/seq && verify 5 && found no-key a && found key-without-file d/seq
verdict verify-finds-files-without-keys-and-keys-without-files $?
fresh
mkdir -p v/nested/.overlay && cp v/.overlay/config.json v/nested/.overlay && verify 7 && found nested-volume nested
verdict verify-says-what-it-did-not-check $?

# Put back to an older state: a whole file, one block with its entry, the entry of a hole.
fresh
inside 'echo newer >v/a; echo newer >>v/big' && cp -a --sparse=always made/a v/a && verify 5 && found rolled-back-file a
verdict verify-finds-a-small-file-put-back $?
cp -a --sparse=always made/big v/big && verify 5 && found rolled-back-file big
verdict verify-finds-a-large-file-put-back $?
fresh
inside 'printf newer | dd of=v/big bs=1 seek=700000 conv=notrunc status=none' && verify 0 && cp -a --sparse=always v/big written &&
    copy_part made/big v/big 1437696 4096 && for place in 1662976 2138112 2613248; do copy_part made/big v/big $place 16384; done && verify 5 && found rolled-back-blocks big && inside 'dd if=v/big bs=1 skip=700000 count=5 status=none' && ! grep -q newer log
verdict verify-finds-a-block-put-back-with-its-entry $?
ends_with 5 "$ctl" repair v "${key[@]}" && grep -q 'big: its state is not known to be the newest' log && ends_with 0 "$ctl" repair v/big "${key[@]}" --accept && verify 0
verdict repair-accepts-a-block-put-back $?
fresh
rm v/link
inside 'echo newer >v/a' && cp -a --sparse=always made/a v/a && verify 5 && ends_with 0 "$ctl" repair v "${key[@]}" --accept && verify 0 && inside 'cat v/a' && grep -q small log
verdict repair-accepts-a-file-put-back $?

# Beside a program that writes all the time: no damage is reported.
fresh
timeout 60 "$ctl" run --volume v "${key[@]}" -- python3 - >log 2>&1 <<'P' &
import os, random, time
end = time.monotonic() + 8
f = open("v/big", "r+b", buffering=0)
i = 0
while time.monotonic() < end:
    f.seek(random.randrange(3000000)); f.write(os.urandom(random.randrange(1, 40000)))
    if i % 20 == 0: f.truncate(random.randrange(1, 3000000))
    if i % 7 == 0: os.fsync(f.fileno())
    open("v/turn%d" % (i % 5), "wb").write(os.urandom(random.randrange(20000)))
    i += 1
P
writer=$! runs=0 bad=0
while kill -0 $writer 2>/dev/null; do
    timeout 60 "$ctl" verify v "${key[@]}" --quiet >>quiet 2>&1 || bad=$?
    runs=$((runs + 1))
done
wait $writer && [ $bad = 0 ] && [ $runs -ge 3 ]
result=$?
cat quiet >>log
verdict "verify-beside-a-writer" $result
verify 0
verdict verify-after-that-writer $?

# A writer that is killed leaves space; repair gives it back and changes nothing without being told to.
fresh
inside 'python3 -c "
import os, signal
f = open(\"v/big\", \"r+b\", buffering=0)
for i in range(40):
    f.seek(0); f.write(os.urandom(1 << 20))
os.kill(os.getpid(), signal.SIGKILL)"; true'
verify 0 && found stale-space big && found in-use big
verdict verify-tells-of-stale-space $?
before=$(stat -c %b v/big) sum=$(sha256sum <v/big)
ends_with 5 "$ctl" repair v "${key[@]}" && grep -q 'Nothing was changed' log && [ "$(sha256sum <v/big)" = "$sum" ] && ends_with 5 "$ctl" repair v "${key[@]}" --reclaim --dry-run && [ "$(sha256sum <v/big)" = "$sum" ]
verdict repair-changes-nothing-unasked $?
inside 'sha256sum v/big'; content=$(cat log) time=$(stat -c %Y v/big)
ends_with 0 "$ctl" repair v "${key[@]}" --reclaim --accept && [ "$(stat -c %b v/big)" -lt "$before" ] && [ "$(stat -c %Y v/big)" = "$time" ] && inside 'sha256sum v/big' && [ "$(cat log)" = "$content" ] &&
    verify 0 && ! found stale-space big && ! found in-use big
verdict repair-reclaims-and-keeps-the-content $?

# Salvage: what can be read, zeros for the rest, and it is said which.
fresh
inside 'cat v/big' && cp log whole
"$here/lib/damage.py" flip v/big stored 33
expected() { python3 -c 'import sys; d = bytearray(open("whole", "rb").read()); d[33 * 16384:34 * 16384] = bytes(16384); sys.stdout.buffer.write(d)'; }
sum=$(sha256sum <v/big)
ends_with 5 "$ctl" repair v "${key[@]}" --salvage && grep -q 'big: lost, zeros in their place: 16384 bytes: 540672 to 557055' log && [ "$(sha256sum <v/big)" = "$sum" ] && inside 'cat v/big.salvaged' && cmp log <(expected) &&
    [ "$(stat -c '%a %U' v/big.salvaged)" = "$(stat -c '%a %U' v/big)" ]
verdict salvage-beside-the-damaged-file $?
ends_with 5 "$ctl" repair v "${key[@]}" --salvage && grep -q 'is there already' log
verdict salvage-overwrites-nothing $?
rm v/big.salvaged
ends_with 5 "$ctl" repair v/big "${key[@]}" --salvage --replace && [ "$(sha256sum <v/big.damaged)" = "$sum" ] && inside 'cat v/big' && cmp log <(expected)
verdict salvage-replaces-and-keeps-the-original $?
mkdir -m 700 saved
ends_with 5 "$ctl" repair v/big.damaged "${key[@]}" --salvage --output saved && grep -q plaintext log && cmp saved/big.damaged <(expected) && [ "$(stat -c %a saved/big.damaged)" = 600 ]
verdict salvage-to-a-plain-directory $?
ends_with 2 "$ctl" repair v/big "${key[@]}" --salvage --output w && ends_with 2 "$ctl" repair v "${key[@]}" --replace && ends_with 3 "$ctl" repair saved "${key[@]}"
verdict repair-refuses-what-makes-no-sense $?
fresh
dd if=/dev/zero of=v/big bs=256 count=1 conv=notrunc status=none && change v/d/seq 60 && change v/a 60
ends_with 5 "$ctl" repair v "${key[@]}" --salvage && inside 'cmp v/big.salvaged whole && cmp v/a.salvaged <(echo small) && cmp v/d/seq.salvaged <(seq 100000)'
verdict salvage-without-a-header $?
fresh
change v/big 300
ends_with 5 "$ctl" repair v "${key[@]}" --salvage && grep -q 'big: doubtful' log && inside 'cmp v/big.salvaged whole'
verdict salvage-without-a-record $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
