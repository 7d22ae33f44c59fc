#!/usr/bin/env bash
# overlay-ctl rekey on a volume that programs are using, and killed at any moment. Prints "ok NAME" or "FAIL NAME"; ends with a count.
# OVERLAY_KILLS=N: how often it is killed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=rekey
. "$here/lib/verbs.sh"
key=(--key-file key)
inside() { timeout -k 5 120 "$ctl" run --volume v "${key[@]}" -- "$@"; }
from_json() { python3 -c 'import json, sys; r = json.load(open("report")); sys.exit(not eval(sys.argv[1]))' "$1" || { cat report >>log; return 1; }; }
report() { # report STATUS COMMAND...: its JSON is in ./report
    local wanted=$1 status
    shift
    timeout -k 5 120 "$@" --json >report 2>log </dev/null
    status=$?
    [ $status = "$wanted" ] || { echo "exit status $status, not $wanted: $*" >>log; return 1; }
}
number() { "$ctl" inspect "$1" | sed -nE 's/^key +number ([0-9]+).*/\1/p'; }
all_new() { [ "$("$ctl" inspect "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')" = "number $2 (modulo 32)" ]; }
# Programs of one volume, until stop_users.
users=()
start_user() { # start_user KIND FILE
    inside python3 "$here/parts/rekey/users.py" "$1" "$2" "$RANDOM" >"$1.out" 2>&1 &
    users+=("$!:$1")
}
start_users() {
    rm -f stop v/base v/pieces v/mapping v/log
    users=()
    start_user database v/base
    start_user pieces v/pieces
    start_user mapping v/mapping
    start_user log v/log
    for _ in {1..100}; do [ -s v/base ] && [ -s v/pieces ] && [ -s v/mapping ] && [ -s v/log ] && break; sleep 0.1; done
}
stop_users() {
    local user bad=0
    touch stop
    for user in "${users[@]}"; do wait "${user%%:*}" || { echo "${user#*:} failed:" >>log; cat "${user#*:}.out" >>log; bad=1; }; done
    return $bad
}

"$ctl" init v "${key[@]}" >log 2>&1
inside sh -c 'mkdir v/d; for i in $(seq 30); do seq $i 2000 >v/d/$i; done; head -c 20000000 /dev/urandom >v/big; echo small >v/small; ln v/small v/linked; : >v/empty; truncate -s 5G v/sparse; echo end >>v/sparse'
inside sh -c 'sha256sum v/d/* v/big v/small v/linked v/empty >sums; chmod 444 v/d/7; touch -d 2001-02-03 v/small' >>log 2>&1
same() { inside sha256sum -c --quiet sums >>log 2>&1 && ends_with 0 "$ctl" verify v "${key[@]}" --quiet; }

ends_with 2 "$ctl" rekey && ends_with 2 "$ctl" rekey --volume v "${key[@]}" && ends_with 2 "$ctl" rekey key --volume v "${key[@]}" && ends_with 3 "$ctl" rekey key "${key[@]}" && ends_with 1 "$ctl" rekey v/missing "${key[@]}" &&
    ends_with 2 "$ctl" rekey v/big --max-mbps 0 "${key[@]}" && head -c 32 /dev/urandom >wrong && ends_with 4 "$ctl" rekey v/big --key-file wrong && ends_with 2 "$ctl" rekey v/.overlay/config.json "${key[@]}"
verdict rekey-refuses-what-makes-no-sense $?
"$ctl" rekey --help | tr -s ' \n' ' ' | grep -q "'key rotate' does not" && "$ctl" key rotate --help | tr -s ' \n' ' ' | grep -q "rekey"
verdict help-says-what-rotation-does-not-do $?
ends_with 0 "$ctl" rekey v --dry-run "${key[@]}" && grep -q '^34 files would be rekeyed' log && [ "$(number v/big)" = "" ] && ends_with 0 "$ctl" rekey --status v
verdict dry-run-changes-nothing $?
report 0 "$ctl" rekey v/d/3 v/small v/linked "${key[@]}" && from_json 'r["rekeyed"] == 2 and r["result"] == "complete" and r["storeClean"]' && all_new v/linked 1 && [ "$(number v/d/4)" = "" ] &&
    [ "$(stat -c %Y v/small)" = "$(date -d 2001-02-03 +%s)" ] && [ "$(stat -c %s v/small)" = 518 ] && same
verdict files-by-name-and-hard-links $?
report 0 "$ctl" rekey v --where 'd/*' "${key[@]}" && from_json 'r["rekeyed"] == 30' && all_new v/d/3 2 && all_new v/d/7 1 && [ "$(number v/big)" = "" ] && same
verdict files-by-pattern $?
copied=$(du -sB1 v/big | cut -f1)
report 0 "$ctl" rekey v "${key[@]}" && from_json 'r["rekeyed"] == 34' && all_new v/big 1 && all_new v/sparse 1 && [ "$(du -sB1 v/big | cut -f1)" -le $((copied + 100000)) ] && same
verdict a-whole-volume-and-its-space $?
SECONDS=0
report 0 "$ctl" rekey v/big --max-mbps 7 "${key[@]}" && [ $SECONDS -ge 2 ] && same
verdict no-faster-than-it-may $?

# While programs use the files, which they have had open from the start: again and again.
start_users
runs=0
SECONDS=0
while [ $SECONDS -lt 4 ] || [ $runs -lt 3 ]; do ends_with 0 "$ctl" rekey v "${key[@]}" || break; runs=$((runs + 1)); done
[ $runs -ge 3 ] && "$ctl" inspect v/pieces | grep -q '^key ' && stop_users && [ "$(cat database.out)" -gt 100 ] && [ "$(cat pieces.out)" -gt 100 ] && [ "$(cat mapping.out)" -gt 20 ] && [ "$(cat log.out)" -gt 500 ]
verdict while-programs-use-the-files $?
same
verdict afterwards-all-is-sound $?

# Two at once; a change of the volume key; files that are renamed, deleted, cut, made meanwhile.
start_users
inside bash -c 'while [ ! -e stop ]; do for i in 1 2 3; do seq $RANDOM >v/d/new && mv v/d/new v/d/renamed && rm v/d/renamed; : >v/d/cut; seq 3000 >v/d/cut; done; done; rm v/d/cut' >other.out 2>&1 &
users+=("$!:other")
"$ctl" rekey v "${key[@]}" >second.out 2>&1 &
second=$!
(for _ in 1 2 3; do "$ctl" key rotate v "${key[@]}" >rotate.out 2>&1 || echo failed >>rotate.failed; done) &
rotating=$!
ends_with 0 "$ctl" rekey v "${key[@]}"
first=$?
wait $second || { cat second.out >>log; first=1; }
wait $rotating
[ $first = 0 ] && [ ! -e rotate.failed ] && stop_users && same
verdict two-at-once-and-whatever-comes-between $?

# Killed at any moment, as are programs that write: nothing is lost, and the same command goes on.
inside sh -c 'cp v/big v/again; for i in 1 2 3 4; do cp v/big v/d/big$i; done; sha256sum v/again v/d/big* >>sums' >>log 2>&1
start_users
bad=0
for _ in $(seq "${OVERLAY_KILLS:-6}"); do
    "$ctl" rekey v "${key[@]}" >killed.out 2>&1 &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 700)))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    inside python3 -c 'import os, random
while True: os.pwrite(os.open("v/killed", os.O_RDWR | os.O_CREAT), bytes([65 + random.randrange(26)]) * 50000, random.randrange(40) * 10000)' >/dev/null 2>&1 &
    writer=$!
    sleep "0.$(printf %03d $((RANDOM % 300)))"
    python=$(pgrep -P $writer python3 | head -n 1); [ -n "$python" ] && kill -9 "$python"
    wait $writer 2>/dev/null
done
stop_users && inside sha256sum -c --quiet sums >>log 2>&1 || bad=1
[ $bad = 0 ]
verdict killed-at-any-moment-loses-nothing $?
# The last one may have come to its end.
for _ in $(seq 20); do
    ends_with 9 "$ctl" rekey --status v && break
    "$ctl" rekey v "${key[@]}" >killed.out 2>&1 &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! ends_with 9 "$ctl" rekey --status v; do :; done
    { kill -9 $pid; wait $pid; } 2>/dev/null
done
ends_with 9 "$ctl" rekey --status v && grep -q '^unfinished since' log && ends_with 0 "$ctl" rekey v "${key[@]}" && grep -q 'by the run of' log && ends_with 0 "$ctl" rekey --status v && same &&
    inside python3 -c 'import sys; sys.exit(any(b != 0 and not 65 <= b < 91 for b in open("v/killed", "rb").read()))'
verdict the-same-command-goes-on $?

# A key that has sealed too often is replaced by the agent, while its program goes on. (The limit is lowered: it is 2^31.)
OVERLAY_MOST_SEALS=3000 inside sh -c 'dd if=/dev/urandom of=v/worn bs=16k count=2000 status=none; mv v/worn v/moved; sha256sum v/moved >worn.sum; echo small >v/fresh
    for i in $(seq 200); do sha256sum -c --quiet worn.sum || exit 1; [ -e replaced ] && exit 0; sleep 0.1; done; exit 2' >log 2>&1 &
waiting=$!
for _ in {1..150}; do [ -e v/moved ] && [ "$(number v/moved)" = 1 ] && ends_with 0 "$ctl" rekey --status v && break; sleep 0.1; done
touch replaced
wait $waiting && inside sha256sum -c --quiet worn.sum >>log 2>&1 && all_new v/moved 1 && [ "$(number v/fresh)" = "" ] && ends_with 0 "$ctl" verify v "${key[@]}" --quiet && rm v/moved v/fresh
verdict a-worn-key-is-replaced-by-itself $?

# Half way: what verify and status say, what is destroyed with a file, and which stores have its keys.
half() { # half FILE: killed in the middle of it
    "$ctl" rekey "$1" --max-mbps 2 "${key[@]}" >half.out 2>&1 &
    local pid=$!
    for _ in {1..100}; do "$ctl" inspect "$1" | grep -q 'is needed, too' && break; sleep 0.05; done
    sleep 0.7
    kill -9 $pid
    wait $pid 2>/dev/null
    "$ctl" inspect "$1" | grep -q 'is needed, too'
}
"$ctl" store backup v before.db >log 2>&1 && half v/big && "$ctl" store backup v half.db >>log 2>&1 && ends_with 0 "$ctl" verify v "${key[@]}" --json && grep -q '"rekey-unfinished"' log && inside sha256sum -c --quiet sums >>log 2>&1
verdict verify-tells-of-two-keys $?
ends_with 0 "$ctl" store restore v before.db --dry-run && grep -q 'were rekeyed since' log && ends_with 1 "$ctl" store restore v before.db && ends_with 5 "$ctl" store verify v before.db "${key[@]}" && grep -q 'big: the key that it has now is not here' log &&
    ends_with 0 "$ctl" store verify v half.db "${key[@]}" && ends_with 0 "$ctl" rekey v/big "${key[@]}" && ends_with 0 "$ctl" store restore v half.db --dry-run && ! grep -q 'were rekeyed since' log
verdict copies-of-the-store-that-lack-a-key-are-named $?
half v/again && ends_with 0 "$ctl" shred v/again --yes --volume v --certificate cert "${key[@]}" && ends_with 7 "$ctl" rekey v/again "${key[@]}" && grep -q 'no key' log && ! inside cat v/again >/dev/null 2>>log && rm v/again
verdict shredding-destroys-both-keys $?
sed -i '/again/d' sums

# A program whose agent is gone fails when the file has another key; it says why.
cat >wait.py <<'P'
import os, sys
file = open("v/small", "r+b", buffering=0)
print("up", flush=True)
sys.stdin.readline()
try:
    file.read(1)
except OSError as error:
    print(error.errno)
P
mkfifo go
"$ctl" agent --volume v "${key[@]}" --ready-fd 9 9>ready >agent.out 2>&1 &
agent=$!
for _ in {1..100}; do [ -s ready ] && break; sleep 0.1; done
LD_PRELOAD=$(dirname "$ctl")/../lib/overlay/liboverlay-shim.so OVERLAY_VOLUMES=$work/v python3 wait.py <go >waiting.out 2>waiting.err &
waiting=$!
exec 8>go
for _ in {1..50}; do grep -q up waiting.out && break; sleep 0.1; done
kill -9 $agent; wait $agent 2>/dev/null
ends_with 0 "$ctl" rekey v/small "${key[@]}"
echo >&8
wait $waiting
grep -qx 5 waiting.out && grep -q 'overlay-ctl rekey' waiting.err || { cat waiting.out waiting.err agent.out >>log; false; }
verdict without-an-agent-a-program-is-told-why $?

if [ "$(id -u)" = 0 ] && mkdir full && mount -t tmpfs -o size=36m none full 2>/dev/null; then
    # With room for a part of it rekey gives back what it has replaced, and goes on; with room for nothing it stops.
    "$ctl" init full/v "${key[@]}" >log 2>&1 && "$ctl" run --volume full/v "${key[@]}" -- sh -c 'dd if=/dev/urandom of=full/v/big bs=1M count=20 status=none; sha256sum full/v/big >full.sum' && ends_with 0 "$ctl" rekey full/v/big "${key[@]}" &&
        room=$(df --output=avail -B1 full | tail -n 1) && head -c $((room - 200000)) /dev/zero >full/filler && ends_with 1 "$ctl" rekey full/v/big "${key[@]}" && grep -q 'disk is full' log &&
        "$ctl" run --volume full/v "${key[@]}" -- sha256sum -c --quiet full.sum >>log 2>&1 && mount -o remount,size=120m full && ends_with 0 "$ctl" rekey full/v/big "${key[@]}" && ends_with 0 "$ctl" verify full/v "${key[@]}" --quiet &&
        "$ctl" run --volume full/v "${key[@]}" -- sha256sum -c --quiet full.sum >>log 2>&1 && ends_with 0 "$ctl" rekey --status full/v
    verdict a-full-disk-stops-it-half-way $?
    umount full
else
    echo "skipped a-full-disk: not root, or no tmpfs can be mounted"
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && chmod 755 . && mkdir -m 777 his && cp key his/key && chown 65534 his/key && setpriv --reuid 65534 --clear-groups "$ctl" init his/v --key-file his/key >log 2>&1; then
    setpriv --reuid 65534 --clear-groups env OVERLAY_RUNTIME_DIR= "$ctl" run --volume his/v --key-file his/key -- sh -c 'echo a >his/v/a; echo b >his/v/b; chmod 400 his/v/a' >>log 2>&1
    ends_with 7 setpriv --reuid 65534 --clear-groups "$ctl" rekey his/v --key-file his/key && grep -q 'a: not rekeyed: .*Permission denied' log && grep -q '^1 files rekeyed' log
    verdict files-that-may-not-be-written-are-named $?
else
    echo "skipped files-that-may-not-be-written: not root, or another user cannot work here"
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
