#!/usr/bin/env bash
# Keys of a volume that programs are using: rotation, recipients, shares, shredding, backups of the store. Prints "ok NAME" or "FAIL NAME".
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=keys
. "$here/lib/verbs.sh"
run=("$ctl" run --volume v --key-file key --)

# hold NAME SCRIPT: a program under Overlay that waits; it goes on at each `go NAME`, and says what it does in NAME.out.
hold() {
    rm -f "$1.fifo" && mkfifo "$1.fifo"
    "${run[@]}" python3 -u -c "
import os, sys
steps = open('$1.fifo')
def step(): return steps.readline()
print('up')
$2" >"$1.out" 2>&1 &
    echo $! >"$1.pid"
    eval "exec $3>$1.fifo"
    wait_for "$1" up
}
wait_for() { for _ in $(seq 200); do grep -q "^$2" "$1.out" 2>/dev/null && return 0; sleep 0.1; done; cat "$1.out" >>log; return 1; }

"$ctl" init v --key-file key >log && "${run[@]}" sh -c 'for i in 1 2 3 4 5 6 7 8; do echo content $i >v/$i; done; echo secret >v/secret; mkdir v/d; echo old >v/d/old.log'
ends_with 0 "$ctl" key recipient new identity && grep -qE '^overlay1[a-z0-9]{58}$' log && [ "$(stat -c %a identity)" = 600 ] && cp log public
verdict recipient-new $?
ends_with 0 "$ctl" key recipient show identity && cmp -s log public && ends_with 1 "$ctl" key recipient new identity
verdict recipient-show $?
ends_with 0 "$ctl" key add v --key-file key --recipient "$(cat public)" --label escrow && ends_with 0 "$ctl" run --volume v --identity identity -- cat v/1 && grep -q 'content 1' log &&
    ends_with 0 "$ctl" key list v && grep -q "recipient .*$(cat public)" log
verdict recipient-unlocks $?
ends_with 2 "$ctl" key add v --key-file key --recipient "$(sed 's/.$/b/' public)" && "$ctl" key recipient new stranger >/dev/null && ends_with 4 "$ctl" run --volume v --identity stranger -- true &&
    ends_with 4 "$ctl" run --volume v --identity key -- true
verdict recipient-refuses $?

ends_with 0 "$ctl" recovery split v --key-file key --threshold 2 --shares 3 --output kit && [ "$(ls kit | wc -l)" = 3 ] && [ -z "$(find kit -type f -perm /077)" ] &&
    ends_with 0 "$ctl" recovery combine kit/share-1-of-3.txt kit/share-3-of-3.txt --output recovered && ends_with 0 "$ctl" run --volume v --identity recovered -- cat v/2 && grep -q 'content 2' log
verdict recovery-two-of-three $?
ends_with 4 "$ctl" recovery combine kit/share-2-of-3.txt --output one && grep -q '2 are needed' log && ends_with 4 "$ctl" recovery combine kit/share-2-of-3.txt kit/share-2-of-3.txt --output one && [ ! -e one ] &&
    sed 's/\(OVERLAY-SHARE-1.\{20\}\)./\1B/' kit/share-1-of-3.txt >spoilt && ends_with 4 "$ctl" recovery combine spoilt kit/share-2-of-3.txt --output one && grep -q 'a character of it is wrong' log &&
    ends_with 2 "$ctl" recovery split v --key-file key --threshold 4 --shares 3 --output kit2
verdict recovery-refuses $?

# As Kubernetes mounts a secret: a link into a directory that is exchanged as a whole; and as systemd gives credentials.
mkdir -p secret/..2026 credentials && cp key secret/..2026/vault-key && ln -s ..2026 secret/..data && ln -s ..data/vault-key secret/vault-key && cp key credentials/vault && chmod 400 credentials/vault
ends_with 0 "$ctl" run --volume v --key-file secret/vault-key -- cat v/1 && ends_with 0 env CREDENTIALS_DIRECTORY="$work/credentials" sh -c "exec $ctl run --volume v --key-file \$CREDENTIALS_DIRECTORY/vault -- cat v/1"
verdict key-files-of-kubernetes-and-systemd $?
chmod 644 secret/..2026/vault-key
ends_with 0 "$ctl" run --volume v --key-file secret/vault-key -- true && { grep -q 'can be read by anybody' log || [ "$(stat -f -c %T .)" = tmpfs ]; } &&
    chmod 666 secret/..2026/vault-key && ends_with 4 "$ctl" run --volume v --key-file secret/vault-key -- true && grep -q 'can be changed by anybody' log
verdict key-files-that-others-may-read-or-change $?
ends_with 1 "$ctl" key remove v 1 --identity identity && grep -q -- --last-unattended log && ends_with 0 "$ctl" run --volume v --key-file key -- true
verdict last-unattended-slot-needs-a-word $?

# A token: SoftHSM, whose keys lie in a directory of this test.
if command -v softhsm2-util >/dev/null; then
    export SOFTHSM2_CONF=$work/softhsm2.conf
    mkdir tokens && echo "directories.tokendir = $work/tokens" >"$SOFTHSM2_CONF" && echo 2468 >pin && echo 1357 >wrong-pin
    module=$(ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so 2>/dev/null | head -n 1)
    token="pkcs11:token=vault;object=unlock?module-path=$module"
    softhsm2-util --init-token --free --label vault --so-pin 11111111 --pin 2468 >log 2>&1 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>>log &&
        softhsm2-util --import rsa.pem --token vault --label unlock --id a1 --pin 2468 >>log 2>&1 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa2.pem 2>>log &&
        softhsm2-util --import rsa2.pem --token vault --label second --id a2 --pin 2468 >>log 2>&1
    verdict token-setup $?
    ends_with 0 "$ctl" key add v --key-file key --new-pkcs11 "$token" --new-pin-file pin --label hsm && ends_with 0 "$ctl" run --volume v --pkcs11 "$token" --pin-file pin -- cat v/1 && grep -q 'content 1' log &&
        ends_with 0 "$ctl" run --volume v --pkcs11 "pkcs11:id=%a1;token=vault?module-path=$module&pin-source=file:$work/pin" -- cat v/1 && ends_with 0 "$ctl" key list v && grep -q 'token .*pkcs11:token=vault;object=unlock$' log
    verdict token-unlocks $?
    ends_with 4 "$ctl" run --volume v --pkcs11 "$token" --pin-file wrong-pin -- true && grep -q "not the token's PIN" log && ends_with 4 "$ctl" run --volume v --pkcs11 "${token/unlock/second}" --pin-file pin -- true &&
        ends_with 4 "$ctl" run --volume v --pkcs11 "${token/vault/other}" --pin-file pin -- true && ends_with 2 "$ctl" run --volume v --pkcs11 "$token&pin-value=2468" -- true && ends_with 2 "$ctl" run --volume v --pkcs11 "$token" -- true &&
        ends_with 4 "$ctl" run --volume v --pkcs11 "pkcs11:object=unlock?module-path=/dev/null" --pin-file pin -- true
    verdict token-refuses $?
    (sleep 1; echo 2468; sleep 3) | timeout 60 script -qec "$ctl run --volume v --pkcs11 '$token' -- cat v/1" /dev/null >log 2>&1
    grep -q 'content 1' log && ! grep -q 2468 log
    verdict token-pin-prompt-does-not-echo $?
    ends_with 0 "$ctl" key rotate v --key-file key && ends_with 0 "$ctl" run --volume v --pkcs11 "$token" --pin-file pin -- cat v/1 && ends_with 0 "$ctl" key rotate v --pkcs11 "$token" --pin-file pin &&
        ends_with 0 "$ctl" run --volume v --key-file key -- cat v/1
    verdict token-and-rotation $?
    ends_with 0 "$ctl" key remove v "$("$ctl" key list v | awk '/hsm/ { print $1 }')" --key-file key
    verdict token-slot-is-removed $?
else
    echo "skipped token-*: softhsm2 is not installed"
fi

# Rotation while programs use the volume: they go on, make files, open old ones; other agents that were there before, too.
hold r "
for i in range(3):
    step()
    print(open('v/3').read().strip(), open('v/%d' % (i + 4)).read().strip())
    for n in range(400): open('v/new-%d-%d' % (i, n), 'w').write('new')
    print('done', i)" 7
echo >&7; wait_for r 'done 0' && ends_with 0 "$ctl" key rotate v --key-file key && grep -q '^Version [24] of the volume key is in use' log && echo >&7 && wait_for r 'done 1' &&
    ends_with 0 "$ctl" key rotate v --identity identity && echo >&7 && wait_for r 'done 2' && grep -q 'content 6' r.out
verdict rotate-beside-programs $?
exec 7>&-
wait "$(cat r.pid)" && ends_with 0 "${run[@]}" sh -c 'cat v/new-0-399 v/new-1-399 v/new-2-399 v/secret' && grep -q '^newnewnewsecret' log &&
    ends_with 0 "$ctl" run --volume v --identity recovered -- cat v/2 && ends_with 0 "$ctl" verify v --key-file key && ends_with 0 "$ctl" store verify v --key-file key
verdict rotate-keeps-all $?
ends_with 0 "$ctl" key rotate v --key-file key --dry-run && grep -qE 'would be wrapped under version [46]' log && ends_with 4 "$ctl" key rotate v --key-file key --drop-slot 9 &&
    ends_with 2 "$ctl" key rotate v --key-file key --drop-slot 1 && ends_with 1 "$ctl" key rotate v --identity identity --drop-slot 1 && grep -q -- --last-unattended log
verdict rotate-refuses $?
slot=$("$ctl" key list v | awk '/recovery/ { print $1 }')
ends_with 0 "$ctl" key rotate v --key-file key --drop-slot "$slot" && ends_with 4 "$ctl" run --volume v --identity recovered -- true && ends_with 0 "$ctl" run --volume v --identity identity -- cat v/2
verdict rotate-drops-a-slot $?
"$ctl" key rotate --help | grep -q 'does not revoke'
verdict rotate-help-says-what-it-does-not-do $?

ends_with 0 "$ctl" keys inventory v && grep -qE 'volume key   version [46], active' log && grep -q 'version 1, destroyed' log && grep -qE 'in use, aes-256-gcm, wrapped under version [46],' log &&
    ends_with 0 "$ctl" keys inventory v --json && python3 - <<'P'
import json
d = json.load(open("log"))
assert [k["state"] for k in d["volumeKeys"]] == ["destroyed"] * (len(d["volumeKeys"]) - 1) + ["active"], d
used = [g for g in d["fileKeys"] if g["state"] == "in-use"]
# At least: the data and the header of each new file.
assert sum(g["count"] for g in used) == 1210 and sum(g["seals"] for g in used) >= 1200 and used[0]["sealLimit"] == 2**32, used
P
verdict inventory $?
"${run[@]}" python3 -c "
f = open('v/busy', 'r+b' if __import__('os').path.exists('v/busy') else 'w+b', buffering=0)
for i in range(5000): f.seek(i % 8 * 16384); f.write(b'x' * 16384)" && ends_with 0 "$ctl" keys inventory v --json &&
    python3 -c 'import json; most = max(g["mostSeals"] for g in json.load(open("log"))["fileKeys"]); assert 5000 <= most < 60000, most'
verdict inventory-shows-the-most-used-key $?
ends_with 0 "$ctl" keys due v --older-than 365d && grep -q '^0 keys are due' log && ends_with 9 "$ctl" keys due v --older-than 0d --limit 3 && grep -q ' more file keys' log &&
    ends_with 9 "$ctl" keys due v --older-than 0d --json && python3 -c 'import json; d = json.load(open("log")); assert d["fileKeysDue"] > 1000 and len(d["fileKeys"]) == 100' && ends_with 2 "$ctl" keys due v --older-than soon
verdict due $?

# Backup beside programs; then shredding, which reaches it.
ends_with 0 "$ctl" store backup v copies.db && [ "$(stat -c %a copies.db)" = 600 ] && [ ! -e copies.db-wal ] && ends_with 0 "$ctl" store verify v copies.db --key-file key &&
    "${run[@]}" sh -c "$ctl store backup v beside.db >/dev/null && cat v/1" | grep -q 'content 1' && ends_with 0 "$ctl" store verify v beside.db --key-file key && ends_with 2 "$ctl" store backup v v/inside.db
verdict store-backup $?

cp --sparse=always v/secret secret.copy && cp v/.overlay/store.db by-hand.db
ends_with 2 "$ctl" shred v/secret --key-file key && grep -q -- --yes log && ends_with 0 "$ctl" shred v/secret --key-file key --dry-run && ends_with 0 "${run[@]}" cat v/secret &&
    ends_with 2 "$ctl" shred v/d --key-file key --yes && ends_with 2 "$ctl" shred key --volume v --key-file key --yes && ends_with 2 "$ctl" shred --key-file key --yes && ends_with 0 "${run[@]}" cat v/secret
verdict shred-refuses $?
# p has the file open, q has read its neighbours and so has been given its key with theirs.
hold p "
import os
f = open('v/secret', 'rb', buffering=0); f.read(3)
print('open')
step()
try: print('read', f.read())
except OSError as e: print('failed', e.errno)
try: open('v/secret'); print('opened')
except OSError as e: print('refused', e.errno)" 7
hold q "
for n in '12345678': open('v/' + n).read()
print('open')
step()
try: open('v/secret').read(); print('opened')
except OSError as e: print('refused', e.errno)
print(open('v/1').read())" 8
wait_for p open && wait_for q open
ends_with 7 "$ctl" shred v/secret --key-file key --yes --certificate c.json --backup nowhere.db && grep -q 'nowhere.db: this copy' log && grep -q "open in process" log
verdict shred $?
echo >&7; echo >&8; exec 7>&- 8>&-
wait "$(cat p.pid)" "$(cat q.pid)"; cat p.out q.out >log
grep -q '^failed 5' p.out && grep -q '^refused' p.out && grep -q '^refused 126' q.out && grep -q 'content 1' q.out
verdict shred-reaches-programs $?
ends_with 1 "${run[@]}" cat v/secret && cp secret.copy v/elsewhere && ends_with 1 "${run[@]}" cat v/elsewhere && rm v/elsewhere && ends_with 0 "${run[@]}" cat v/1 v/d/old.log &&
    ends_with 0 "$ctl" verify v --key-file key && grep -q 'secret: shredded' log
verdict shred-destroys-every-copy $?
python3 - >log 2>&1 <<'P'
import glob, json, sqlite3
certificate = json.load(open("c.json"))["payload"]
file = bytes.fromhex(certificate["files"][0]["fileId"])
# What a copy that nobody knows of still has must be nowhere in those that are known.
wrapped = sqlite3.connect("by-hand.db").execute("SELECT wrapped_key FROM file WHERE file_id = ?", (file,)).fetchone()[0]
for name in glob.glob("v/.overlay/store.db*") + ["copies.db", "beside.db"]:
    assert wrapped not in open(name, "rb").read(), name
assert {s["role"] + " " + s["state"] for s in certificate["stores"]} == {"store clean", "backup clean", "backup missing"}, certificate
assert certificate["verification"]["filesDoNotOpen"] and len(certificate["verification"]["openIn"]) >= 1
P
verdict shred-leaves-no-wrapped-key $?
ends_with 0 "$ctl" shred --verify c.json --volume v && ends_with 7 "$ctl" shred --verify c.json && signer=$(grep -o 'overlay-sign-1[a-z0-9]*' c.json) && ends_with 0 "$ctl" shred --verify c.json --signer "$signer" &&
    sed 's/"secret"/"public"/' c.json >forged.json && ends_with 5 "$ctl" shred --verify forged.json --volume v && ends_with 5 "$ctl" shred --verify key &&
    ends_with 2 "$ctl" shred --verify c.json --signer overlay-sign-1qqqq && "$ctl" key rotate v --key-file key >/dev/null && ends_with 0 "$ctl" shred --verify c.json --volume v
verdict certificate $?
ends_with 0 "$ctl" shred v/secret --key-file key --yes --certificate again.json --backup copies.db && grep -q 'was destroyed before' log && ends_with 0 "$ctl" shred --verify again.json --volume v &&
    ends_with 1 "$ctl" shred v/1 --key-file key --yes --certificate again.json && ends_with 0 "${run[@]}" cat v/1
verdict shred-again $?
ends_with 0 "$ctl" shred --where '**/*.log' --volume v --key-file key --yes --certificate logs.json && grep -q '^d/old.log: destroyed' log && ends_with 1 "${run[@]}" cat v/d/old.log &&
    ends_with 0 "$ctl" shred --where '[2]' --volume v --key-file key --yes && grep -q 'No sealed file' log && ends_with 0 "${run[@]}" cat v/2
verdict shred-where $?
hold p "
f = open('v/2', 'rb', buffering=0)
print('open')
step()
print('read', f.read())
try: open('v/2'); print('opened')
except OSError as e: print('refused', e.errno)" 7
wait_for p open && ends_with 0 "$ctl" shred v/2 --key-file key --yes --open finish --certificate two.json
echo >&7; exec 7>&-; wait "$(cat p.pid)"; cat p.out >>log
grep -q "read b'content 2" p.out && grep -q '^refused' p.out
verdict shred-lets-open-files-finish $?
# A terminal is asked.
(sleep 2; echo no; sleep 1) | timeout 60 script -qec "$ctl shred v/3 --key-file key --certificate three.json" /dev/null >log 2>&1
grep -q "Type 'shred'" log && ends_with 0 "${run[@]}" cat v/3 && [ ! -e three.json ] &&
    (sleep 2; echo shred; sleep 3) | timeout 60 script -qec "$ctl shred v/3 --key-file key --certificate three.json" /dev/null >log 2>&1 && ends_with 1 "${run[@]}" cat v/3 && [ -e three.json ]
verdict shred-asks $?

# Restore: not beside agents, not back unless that is said, shredded keys stay destroyed.
"${run[@]}" sh -c 'echo younger >v/younger'
ends_with 1 "$ctl" store restore v copies.db && grep -q 'younger' log && grep -q 'accept-rollback' log && ends_with 0 "${run[@]}" cat v/younger
verdict restore-refuses-to-roll-back $?
hold p "step()" 7
ends_with 3 "$ctl" store restore v copies.db --accept-rollback && grep -q 'in use' log
verdict restore-refuses-beside-an-agent $?
exec 7>&-; wait "$(cat p.pid)"
ends_with 0 "$ctl" store backup v now.db && ends_with 0 "$ctl" store restore v copies.db --accept-rollback && ends_with 1 "${run[@]}" cat v/younger && ends_with 1 "${run[@]}" cat v/3 && ends_with 1 "${run[@]}" cat v/secret &&
    ends_with 0 "${run[@]}" cat v/1 && ends_with 0 "$ctl" store restore v now.db --accept-rollback && ends_with 0 "${run[@]}" cat v/younger v/1 && ends_with 1 "${run[@]}" cat v/3
verdict restore-and-back $?
rm -f v/.overlay/store.db*
ends_with 3 "${run[@]}" cat v/1 && ends_with 0 "$ctl" store restore v now.db --accept-rollback && ends_with 0 "${run[@]}" cat v/younger v/1 && ends_with 0 "$ctl" store verify v --key-file key
verdict restore-of-a-lost-store $?
cp now.db damaged.db && python3 -c "
f = open('damaged.db', 'r+b'); f.seek(5 * 4096); f.write(b'\xff' * 8192)" && ends_with 3 "$ctl" store restore v damaged.db --accept-rollback && "$ctl" init other --key-file key >/dev/null &&
    ends_with 0 "$ctl" store backup other other.db && ends_with 3 "$ctl" store restore v other.db --accept-rollback && ends_with 3 "$ctl" store verify v other.db --key-file key && ends_with 0 "${run[@]}" cat v/1
verdict restore-refuses-what-is-not-its-store $?
# An older copy of the store in its place is found by what it lacks.
cp now.db older.db && "${run[@]}" sh -c 'echo youngest >v/youngest' && ends_with 5 "$ctl" store verify v older.db --key-file key && grep -q 'youngest: there is no key' log
verdict store-verify-finds-missing-keys $?

# Keys that came before they were needed, or are on their way, are no good any more.
"$ctl" init ahead --key-file key >log
run=("$ctl" run --volume ahead --key-file key --)
"${run[@]}" bash -c 'mkdir ahead/m; for i in {100..355}; do echo "m$i" >ahead/m/$i; done'
hold p "
def read(numbers):
    count = 0
    for i in numbers:
        try: count += open('ahead/m/%d' % i).read() == 'm%d\n' % i
        except OSError as e:
            if e.errno != 126: raise
    return count
print('read', read(range(100, 170)))
step()
print('then', read(range(170, 356)))" 7
wait_for p read && ends_with 0 "$ctl" shred --where 'm/2*' --volume ahead --key-file key --yes --certificate many.json
echo >&7; exec 7>&-; wait "$(cat p.pid)"; cat p.out >>log
grep -q '^read 70$' p.out && grep -q '^then 86$' p.out
verdict shred-reaches-keys-that-came-ahead $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
