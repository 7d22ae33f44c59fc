#!/usr/bin/env bash
# overlay-ctl import, export and scan, on volumes that programs are using. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=transfer
. "$here/lib/verbs.sh"
key=(--key-file key)
inside() { timeout -k 5 120 "$ctl" run --volume v "${key[@]}" -- "$@"; }
manifest() { python3 "$here/lib/manifest.py" make "$1"; }
attributes() { python3 "$here/lib/make_tree.py" attributes "$1" | sort; }
make_tree() { python3 "$here/lib/make_tree.py" "$@"; }
same_tree() { # same_tree DIRECTORY: as programs see it, it is the tree of which manifest and attributes were kept
    inside bash -c "$(declare -f manifest attributes); here=$here; manifest '$1' >now.manifest; attributes '$1' >now.attributes" >>log 2>&1 &&
        diff tree.manifest now.manifest >diff.manifest && diff tree.attributes now.attributes >diff.manifest || { head -n 20 diff.manifest >>log; return 1; }
}
from_json() { python3 -c 'import json, sys; r = json.load(open("report")); sys.exit(not eval(sys.argv[1]))' "$1" || { cat report >>log; return 1; }; }
report() { # report STATUS COMMAND...: its JSON is in ./report
    local wanted=$1 status
    shift
    timeout -k 5 120 "$@" --json >report 2>log </dev/null
    status=$?
    [ $status = "$wanted" ] || { echo "exit status $status, not $wanted: $*" >>log; return 1; }
}
no_plaintext() { # no_plaintext DIRECTORY: nothing of these is to be found in a file below it
    ! grep -rlaE 'the same line|several names|in the middle|by bytes' "$1" >>log
}
# A program that goes on using the volume: it writes and reads back until it is told to stop.
use() {
    rm -f stop used
    inside bash -c 'n=0; mkdir -p v/used; while [ ! -e stop ]; do n=$((n + 1)); seq $n >v/used/f && [ "$(tail -n 1 v/used/f)" = $n ] || exit 1; done; rm -r v/used; echo $n >used' >user.log 2>&1 &
    user=$!
    for _ in {1..100}; do [ -e v/used/f ] && break; sleep 0.1; done
}
stop_using() { touch stop; wait $user && [ "$(cat used)" -gt 1 ] || { cat user.log >>log; return 1; }; }

make_tree tree 300 2>>log
manifest tree >tree.manifest
attributes tree >tree.attributes

# Into a volume.
"$ctl" init v "${key[@]}" >log 2>&1
ends_with 2 "$ctl" import missing --into v "${key[@]}" && ends_with 3 "$ctl" import tree "${key[@]}" && grep -q 'init --non-empty' log &&
    ends_with 2 "$ctl" import tree --no-owner "${key[@]}" && ends_with 3 "$ctl" import tree --into tree/d "${key[@]}" && ends_with 2 "$ctl" import . --into v "${key[@]}" &&
    ends_with 2 "$ctl" import v --into v/x "${key[@]}" && ends_with 2 "$ctl" import tree --into v/.overlay "${key[@]}"
verdict import-refuses-what-makes-no-sense $?
report 0 "$ctl" import tree --into v/copy --dry-run "${key[@]}" && from_json 'r["dryRun"] and r["sealed"] > 300 and r["hardLinks"] == 2' && [ ! -e v/copy ]
verdict import-dry-run-counts-and-makes-nothing $?
use
report 0 "$ctl" import tree --into v/copy "${key[@]}" && from_json 'r["result"] == "complete" and r["leftOut"] == [] and r["hardLinks"] == 2 and r["there"] == 0' && stop_using
verdict import-into-a-volume-in-use $?
same_tree v/copy && no_plaintext v
verdict import-into-keeps-everything $?
manifest tree | diff tree.manifest - >>log && attributes tree | diff tree.attributes - >>log
verdict import-into-leaves-the-originals-alone $?
[ "$(du -B1 v/copy/sparse | cut -f1)" -lt 1000000 ]
verdict import-keeps-holes $?
report 0 "$ctl" import tree --into v/copy "${key[@]}" && from_json 'r["sealed"] == 0 and r["there"] > 300' && same_tree v/copy
verdict import-into-again-does-nothing $?
echo other >tree/small && report 7 "$ctl" import tree --into v/copy "${key[@]}" && from_json 'r["leftOut"] == [{"path": "small", "reason": "something else of that name is there already"}]'
verdict import-into-replaces-nothing $?
rm -r tree && make_tree tree 300 2>>log
ends_with 0 "$ctl" verify v "${key[@]}" --quiet
verdict import-into-leaves-a-sound-volume $?

# In place.
seal_anew() { rm -rf v && make_tree v 300 2>>log && "$ctl" init v --non-empty "${key[@]}" >>log 2>&1; }
seal_anew
report 5 "$ctl" scan --plaintext v && from_json 'len(r["plain"]) > 300 and {"path": "d/text", "size": 1160000} in r["plain"]'
verdict scan-finds-plaintext $?
report 0 "$ctl" import v --dry-run "${key[@]}" && from_json 'r["sealed"] > 300' && grep -q 'the same line' v/d/text
verdict import-in-place-dry-run $?
use
report 0 "$ctl" import v "${key[@]}" && from_json 'r["result"] == "complete" and r["leftOut"] == [] and r["hardLinks"] == 2' && stop_using
verdict import-in-place-of-a-volume-in-use $?
same_tree v && no_plaintext v
verdict import-in-place-keeps-everything $?
ends_with 0 "$ctl" scan --plaintext v && ends_with 0 "$ctl" verify v "${key[@]}" --quiet && [ ! -s log ] && [ "$(ls v/.overlay/import)" = lock ]
verdict import-in-place-leaves-a-sound-volume-and-nothing-of-its-own $?
report 0 "$ctl" import v "${key[@]}" && from_json 'r["sealed"] == 0' && same_tree v
verdict import-in-place-again-does-nothing $?

# Somebody begins to write while a file is being sealed: what he writes is kept, and he does not wait for long.
seal_anew && head -c 400000000 /dev/urandom >v/large && sha256sum <v/large >large.sum
python3 - <<'P' 2>>log &
import os, time
inode = os.stat("v/large").st_ino
while not os.path.exists("v/.overlay/import/batch") and not any(name.isdigit() and os.path.getsize(f"v/.overlay/import/{name}") > 20_000_000 for name in (os.listdir("v/.overlay/import") if os.path.isdir("v/.overlay/import") else [])):
    time.sleep(0.005)
begun = time.monotonic()
fd = os.open("v/large", os.O_WRONLY | os.O_APPEND)
open("waited", "w").write(f"{time.monotonic() - begun}")
if os.fstat(fd).st_ino == inode:
    os.write(fd, b"late")
    open("wrote", "w").close()
P
writer=$!
timeout -k 5 120 "$ctl" import v "${key[@]}" --json >report 2>>log </dev/null
status=$?
wait $writer
if [ -e wrote ]; then
    [ $status = 7 ] && from_json '[l["path"] for l in r["leftOut"]] == ["large"]' && [ "$(tail -c 4 v/large)" = late ] && [ "$(head -c 400000000 v/large | sha256sum)" = "$(cat large.sum)" ] && python3 -c 'import sys; sys.exit(float(open("waited").read()) > 20)'
else
    [ $status = 0 ] && [ "$(inside sha256sum <v/large 2>>log)" != "" ]
fi
verdict import-of-a-file-that-somebody-begins-to-write $?
rm -f wrote waited

seal_anew
exec 5>>v/d/text
report 7 "$ctl" import v "${key[@]}" && from_json '[l["path"] for l in r["leftOut"]] == ["d/text"] and "open for writing" in r["leftOut"][0]["reason"]' && report 5 "$ctl" scan --plaintext v && from_json '[p["path"] for p in r["plain"]] == ["d/text"]'
verdict import-leaves-out-files-that-are-open-for-writing $?
exec 5>&-
exec 5<v/d/text
touch -d @1234567890 v/d/text
report 0 "$ctl" import v/d "${key[@]}" && from_json 'r["sealed"] == 1' && [ "$(head -c 13 <&5)" = 'the same line' ] && ends_with 0 "$ctl" scan --plaintext v
verdict import-of-a-directory-of-a-volume-and-of-files-open-for-reading $?
exec 5<&-
echo marked >v/marked && chmod +t v/marked && echo linked >v/inner && ln v/inner elsewhere && report 7 "$ctl" import v "${key[@]}" &&
    from_json '{l["path"]: l["reason"][:20] for l in r["leftOut"]} == {"marked": "it bears the mark of", "inner": "it has 1 more hard l"}' && [ "$(cat v/inner)" = linked ]
verdict import-leaves-out-marked-plain-files-and-links-from-elsewhere $?

# Killed at any moment, and started again, until it is through.
kill_until_done() { # kill_until_done WHAT COMMAND...: how often it was killed is in ./kills
    local status=137 kills=0 delay=0.02
    while [ $status = 137 ]; do
        # Short enough for an idle machine at first, and soon long enough for a busy one.
        delay=$(python3 -c "import random; print(random.uniform(0.005, 0.03 + $kills ** 2 * 0.004))")
        { timeout -s KILL "$delay" "${@:2}" >>log 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status = 137 ] && kills=$((kills + 1))
        [ $kills -gt 300 ] && return 1
    done
    echo "$1: killed $kills times" >>kills
    [ $status = 0 ] || { echo "exit status $status" >>log; return 1; }
    [ $kills -ge 3 ] || { echo "killed only $kills times" >>log; return 1; }
}
seal_anew
for round in 1 2; do
    seal_anew
    kill_until_done in-place "$ctl" import v "${key[@]}" && same_tree v && no_plaintext v && ends_with 0 "$ctl" verify v "${key[@]}" --quiet && [ ! -s log ]
    verdict import-in-place-killed-and-resumed-$round $?
done
rm -rf v && "$ctl" init v "${key[@]}" >log 2>&1
kill_until_done into "$ctl" import tree --into v/copy "${key[@]}" && same_tree v/copy && ends_with 0 "$ctl" verify v "${key[@]}" --quiet && [ ! -s log ] && [ "$(ls v/.overlay/import)" = lock ]
verdict import-into-killed-and-resumed $?

# Killed at each of the calls that change names, one after the other.
if command -v strace >/dev/null && strace -qq true 2>/dev/null; then
    rm -rf small && make_tree small 3 2>>log && manifest small >tree.manifest.small && attributes small >tree.attributes.small
    cp tree.manifest whole.manifest && cp tree.attributes whole.attributes && cp tree.manifest.small tree.manifest && cp tree.attributes.small tree.attributes
    at_each() { # at_each WHERE COMMAND...: kills it at the first, second … of each call, starts it again, and looks
        local call number kills total=0
        for call in renameat2 linkat unlinkat syncfs; do
            kills=0
            for number in 1 2 3 5 8 13 21 34 55; do
                start_over
                { strace -f -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$number "${@:2}" >killed.log 2>&1 </dev/null; } 2>/dev/null
                [ $? = 0 ] && break
                kills=$((kills + 1))
                ends_with 0 "${@:2}" && same_tree "$1" && ends_with 0 "$ctl" verify v "${key[@]}" --quiet && [ ! -s log ] || { echo "after a kill at $call $number" >>log; return 1; }
            done
            echo "$1: killed at $kills calls of $call" >>kills
            total=$((total + kills))
        done
        [ $total -ge 8 ] || { echo "killed only $total times" >>log; return 1; }
    }
    start_over() { rm -rf v && cp -a --sparse=always small v && "$ctl" init v --non-empty "${key[@]}" >log 2>&1; }
    at_each v "$ctl" import v "${key[@]}"
    verdict import-in-place-killed-at-each-step $?
    start_over() { rm -rf v && "$ctl" init v "${key[@]}" >log 2>&1; }
    at_each v/copy "$ctl" import small --into v/copy "${key[@]}"
    verdict import-into-killed-at-each-step $?
    cp whole.manifest tree.manifest && cp whole.attributes tree.attributes
    rm -rf v && "$ctl" init v "${key[@]}" >log 2>&1 && "$ctl" import tree --into v/copy "${key[@]}" >>log 2>&1
else
    echo "skip import-killed-at-each-step: needs strace"
fi

# And out again.
mkdir out && use
ends_with 2 "$ctl" export v/copy missing/out "${key[@]}" && ends_with 2 "$ctl" export v/copy v "${key[@]}" && ends_with 2 "$ctl" export v/copy v/copy/x "${key[@]}"
verdict export-refuses-what-makes-no-sense $?
report 0 "$ctl" export v/copy out "${key[@]}" && from_json 'r["result"] == "complete" and r["leftOut"] == []' && stop_using &&
    manifest out/copy | diff tree.manifest - >>log && attributes out/copy | diff tree.attributes - >>log && [ "$(ls -A out)" = copy ]
verdict export-of-a-volume-in-use-keeps-everything $?
[ "$(du -B1 out/copy/sparse | cut -f1)" -lt 1000000 ]
verdict export-keeps-holes $?
report 0 "$ctl" export v/copy out "${key[@]}" && from_json 'r["exported"] == 0'
verdict export-again-does-nothing $?
rm -rf out && mkdir out && kill_until_done export "$ctl" export v/copy out "${key[@]}" && manifest out/copy | diff tree.manifest - >>log && [ "$(ls -A out)" = copy ]
verdict export-killed-and-resumed $?
rm -rf out && mkdir out && ends_with 0 "$ctl" export v/copy/small v/copy/d/text out "${key[@]}" && cmp out/small tree/small && cmp out/text tree/d/text && [ "$(stat -c %a out/small)" = 644 ]
verdict export-of-single-files $?
mkdir -m 755 out/.overlay-export && ends_with 1 "$ctl" export v/copy out "${key[@]}" && grep -q 'open to others' log && rmdir out/.overlay-export
verdict export-does-not-work-where-others-can-look $?
ends_with 4 "$ctl" export v/copy out --key-file v/.overlay/config.json
verdict export-with-the-wrong-key $?

# A full disk: what was done is done, and the rest goes on when there is room.
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=48m none disk 2>/dev/null; then
    mkdir disk/v && for i in 1 2 3 4; do head -c 5000000 /dev/urandom >disk/v/f$i; done && sha256sum disk/v/f* >sums && "$ctl" init disk/v --non-empty "${key[@]}" >log 2>&1
    head -c 100m /dev/zero >disk/ballast 2>/dev/null
    truncate -s -4500000 disk/ballast
    report 1 "$ctl" import disk/v "${key[@]}" && from_json 'r["result"] == "full"' && grep -q . report
    verdict import-on-a-full-disk-says-so $?
    rm disk/ballast
    report 0 "$ctl" import disk/v "${key[@]}" && from_json 'r["result"] == "complete"' && "$ctl" run --volume disk/v "${key[@]}" -- sha256sum -c sums >>log 2>&1
    verdict import-goes-on-when-there-is-room $?
    umount disk
else
    echo "skip import-on-a-full-disk: needs root and a tmpfs"
fi

# As somebody who is not root.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 . && mkdir -m 700 theirs && cp key theirs/key && chown -R 4321:4321 theirs
    as() { OVERLAY_RUNTIME_DIR=$work/theirs setpriv --reuid 4321 --regid 4321 --clear-groups "$@"; }
    as mkdir theirs/v && as bash -c 'echo mine >theirs/v/mine' && echo roots >theirs/v/roots && as "$ctl" init theirs/v --non-empty --key-file theirs/key >log 2>&1
    timeout 60 setpriv --reuid 4321 --regid 4321 --clear-groups env OVERLAY_RUNTIME_DIR="$work/theirs" "$ctl" import theirs/v --key-file theirs/key --json >report 2>log
    [ $? = 7 ] && from_json 'r["sealed"] == 1 and r["leftOut"][0]["path"] == "roots" and "root only" in r["leftOut"][0]["reason"]' && [ "$(cat theirs/v/roots)" = roots ]
    verdict import-by-a-user-leaves-out-files-of-others $?
fi

# On a terminal there is progress; elsewhere there is none.
if command -v script >/dev/null; then
    seal_anew && head -c 200000000 /dev/urandom >v/large && TERM=xterm script -qec "$ctl import v --key-file key" /dev/null >log 2>&1 && grep -qa 'files, .*:.. left' log && ends_with 0 "$ctl" import v "${key[@]}" && ! grep -q ':.. left' log
    verdict import-shows-progress-on-a-terminal $?
fi
cat kills >&2
echo "$passed passed, $failed failed"
[ $failed = 0 ]
