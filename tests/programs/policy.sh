#!/usr/bin/env bash
# overlay-ctl policy, on volumes that programs are using. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=policy
. "$here/lib/verbs.sh"
key=(--key-file key)
real() { readlink -f "$(command -v "$1")"; }
cat=$(real cat) tar=$(real tar) bash=$(real bash) python=$(python3 -c 'import os; print(os.path.realpath("/proc/self/exe"))')
inside() { timeout -k 5 60 "$ctl" run --volume v "${key[@]}" -- bash -c "$1" >log 2>&1; } # inside COMMANDS: their status
set_policy() { printf '%s\n' "$@" >p && "$ctl" policy set v p "${key[@]}" >>log 2>&1; }
golden() { # golden NAME FILE: UPDATE=1 writes it anew
    [ -z "${UPDATE:-}" ] || cp "$2" "$here/golden/$1"
    diff -u "$here/golden/$1" "$2" >differs || { cat differs >>log; return 1; }
}

# The language, and what is not it.
"$ctl" init v "${key[@]}" >log 2>&1
ends_with 0 "$ctl" policy show v && grep -q 'no policy' log && ends_with 0 "$ctl" policy test v --exe "$cat" --user 0 x
verdict policy-is-none-to-begin-with $?
printf '%s\n' 'default perhaps' 'allow path /absolute' 'deny exe cat' '  user no-such-user' 'ciphertext exe /bin/tar path x' 'store path x block-size 5000' 'permit' >bad
ends_with 2 "$ctl" policy set v bad "${key[@]}" && golden policy_errors.txt log && ends_with 0 "$ctl" policy show v && grep -q 'no policy' log
verdict policy-set-names-the-lines-that-are-wrong $?
echo deny >p && ends_with 0 "$ctl" policy set v p --dry-run && grep -q '1 rules about keys, 0 about storage, default allow; nothing was done' log && ends_with 4 "$ctl" policy set v p --key-file /bin/true && ends_with 0 "$ctl" policy show v && grep -q 'no policy' log
verdict policy-set-dry-run-and-with-a-wrong-key $?
ends_with 2 "$ctl" policy test v --exe "$cat" --user no-such-user x && ends_with 2 "$ctl" policy test v x && ends_with 1 "$ctl" policy show v --version 7 && ends_with 1 "$ctl" policy learn v && grep -q 'audit enable' log
verdict policy-refuses-what-makes-no-sense $?

# Deny, by path and program.
inside 'mkdir v/open v/secret; echo hidden >v/secret/a; echo plain >v/open/a'
set_policy '# nobody cats secrets' "deny path secret/** exe $cat" "store path **.db cipher aegis-256" 'store path **.db path raw/** compression none block-size 4K'
inside 'cat v/open/a && ! cat v/secret/a' && grep -q 'secret/a: Permission denied' log && [ "$(grep -c 'was refused' log)" = 1 ] &&
    grep -q "policy: secret/a of $PWD/v was refused to $cat (user $(id -u), process [0-9]*): line 2: deny path secret/\*\* exe $cat" log
verdict policy-denies-with-one-line-that-names-file-program-and-rule $?
inside 'python3 -c "print(open(\"v/secret/a\").read())"' && grep -q hidden log
verdict policy-lets-other-programs-go-on $?
inside '! cat <v/secret/a && ! cat - 3<&- <v/secret/a && exec 4<v/open/a && cat <&4' && ! grep -q hidden log && grep -q plain log
verdict policy-judges-who-reads-an-inherited-descriptor $?
inside 'ls -l v/secret && stat -c "size %s" v/secret/a; ! cp v/secret/a v/x 2>/dev/null || cat v/x' && grep -q 'size 7' log
verdict policy-does-not-hide-sizes $?
{ "$ctl" policy test v --exe "$cat" --user 0 secret/a; echo "status $?"; "$ctl" policy test v --exe "$cat" --user 0 "$PWD/v/open/new.db"; echo "status $?"
  "$ctl" policy test v --exe "$bash" --user 0 secret/a; echo "status $?"; } 2>&1 | sed "s,$cat,/usr/bin/cat," >told
golden policy_test.txt told
verdict policy-test-says-which-rule-decides $?
"$ctl" policy show v >shown && sed 1d shown | cmp - p && sed -n 1p shown | grep -q "^# version 1, set 20.* by uid $(id -u), signature good" && "$ctl" policy show v --json | python3 -c 'import json, sys; v = json.load(sys.stdin)["versions"]; sys.exit(not (len(v) == 1 and v[0]["isSigned"] and v[0]["text"] == open("p").read()))'
verdict policy-show-is-what-was-set $?

# How new files are stored, from the first one on.
inside 'echo 1 >v/first.db; mkdir v/raw; seq 20000 >v/raw/x; seq 20000 >v/rest; cmp <(seq 20000) v/raw/x && [ "$(stat -c %s v/raw/x)" = "$(seq 20000 | wc -c)" ] && mv v/raw/x v/raw/y && echo more >>v/raw/y && [ "$(tail -n 1 v/raw/y)" = more ]'
s=$?
"$ctl" inspect v/first.db >first; "$ctl" inspect v/raw/y >raw; "$ctl" inspect v/rest >rest
[ $s = 0 ] && grep -q 'cipher *aegis-256' first && grep -q 'block size *4096' first && grep -q 'compression *none' first && grep -q 'cipher *aes-256-gcm' raw && grep -q 'block size *4096' raw && grep -q 'block size *16384' rest && grep -q 'compression *lz4' rest && ends_with 0 "$ctl" verify v "${key[@]}"
verdict policy-chooses-cipher-compression-and-block-size $?
mkdir src && seq 5000 >src/x.db && ends_with 0 "$ctl" import src --into v "${key[@]}" && "$ctl" inspect v/x.db >imported && grep -q 'cipher *aegis-256' imported && grep -q 'block size *4096' imported && inside 'seq 5000 | cmp - v/x.db'
verdict policy-chooses-for-import-too $?

# Names: where a file was made counts as well as where it is.
mv v/secret/a v/open/moved && ln v/open/moved v/open/linked && cp --sparse=always -p v/open/moved v/open/copied
inside '! cat v/open/moved && ! cat v/open/linked && ! cat v/open/copied' && ! grep -q hidden log && [ "$(grep -c 'secret/a of' log)" = 3 ]
verdict policy-goes-with-a-file-that-is-moved-linked-or-copied $?
ends_with 0 "$ctl" policy repath v open "${key[@]}" && grep -q '4 files' log && inside 'cat v/open/moved' && grep -q hidden log && mv v/open/a v/secret/b && inside '! cat v/secret/b' && ends_with 2 "$ctl" policy repath v /etc "${key[@]}"
verdict policy-repath-lets-a-file-go $?

# Programs by hash; a script is its interpreter.
cp "$cat" mycat && cp "$cat" othercat && echo >>othercat
set_policy 'default deny' "allow path open/** exe $cat sha256 $(sha256sum "$cat" | cut -d' ' -f1)" "allow exe $PWD/mycat" "allow exe $PWD/*cat sha256 $(sha256sum mycat | cut -d' ' -f1)" "allow exe $bash path scripts/**"
inside './mycat v/open/moved && ! ./othercat v/open/moved && cat v/open/moved && ! cat v/secret/b && ! head v/open/moved' && [ "$(grep -c hidden log)" = 2 ] && grep -q "refused to $PWD/othercat .*: no rule matches; the default decides" log
verdict policy-knows-programs-by-path-and-hash $?
printf '#!%s\nread -r x <v/scripts/f && echo "$x"\n' "$bash" >script && chmod +x script
inside 'mkdir v/scripts && echo of the script >v/scripts/f && ./script && ! mycat v/rest' && grep -q '^of the script' log && [ "$(grep -c 'refused' log)" = 0 ]
verdict policy-takes-a-script-for-its-interpreter $?
inside '! echo x >v/denied; ! echo x >v/open/denied; ! (set -C; echo x >v/exclusive); [ ! -e v/exclusive ]' && [ "$(grep -c 'Permission denied' log)" = 3 ]
verdict policy-denies-new-files-too $?
cp othercat atpath && cat >spoof <<'P'
import os, subprocess, sys
# A program that is only called so: bound over in a name space of its own.
sys.exit(subprocess.call(["unshare", "-Urm", "sh", "-c", f"mount --bind {os.getcwd()}/othercat {os.getcwd()}/mycat && ./mycat v/open/moved"]))
P
if unshare -Urm true 2>/dev/null; then
    inside '! python3 spoof' && ! grep -q hidden log && grep -q "refused to $PWD/mycat" log
    verdict policy-is-not-fooled-by-a-mount-of-somebodys-own $?
else
    echo "skip policy-is-not-fooled-by-a-mount-of-somebodys-own: no user name spaces here"
fi

# A connection outlives an exec, in whoever else holds it.
set_policy 'default deny' "allow exe $(real sleep)" "allow exe $bash"
cat >holder.py <<'P'
import os, socket, struct, sys, time
head = open("v/rest", "rb").read(48)
agent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
agent.connect(os.environ["OVERLAY_AGENT"])
agent.send(struct.pack("<HHI4sHH", 1, 0, 0, b"OVLA", 1, 1))
assert agent.recv(8192)[2:4] == b"\0\0"
os.set_inheritable(agent.fileno(), True)
if os.fork() > 0:
    os.execlp("sleep", "sleep", "3")
time.sleep(1)
file = os.open("v/rest", os.O_RDONLY)
socket.send_fds(agent, [struct.pack("<HHI16s16sH", 3, 0, 1, head[32:48], head[16:32], 1)], [file])
reply = agent.recv(8192)
print("status", struct.unpack("<H", reply[2:4])[0], "length", len(reply))
P
mkfifo address && { timeout 60 "$ctl" run --volume v "${key[@]}" -- bash -c 'echo "$OVERLAY_AGENT" >address; sleep 6' >log 2>&1 & }
OVERLAY_AGENT=$(cat address) python3 holder.py >held 2>&1; sleep 2; cat held >>log; grep -q '^status 129 length 8' log && grep -q 'it has executed another program since it connected' log
verdict policy-judges-the-program-of-now-not-of-then $?

# While programs run.
set_policy '# all'
"$ctl" agent --volume v "${key[@]}" --ready-fd 3 3>ready 2>agent.log &
agent=$!
for _ in {1..100}; do [ -s ready ] && break; sleep 0.1; done
served=(env LD_PRELOAD="$(dirname "$ctl")/../lib/overlay/liboverlay-shim.so" OVERLAY_VOLUMES="$PWD/v" OVERLAY_LOG=/dev/null)
cat >long.py <<'P'
import os, sys
opened = open("v/rest")
first = opened.read(2)
again = open("v/open/moved").read()
print("ready", flush=True)
sys.stdin.readline()
rest = opened.read()
def tries(path, *how):
    try:
        open(path, *how)
        return "opened"
    except OSError as error:
        return error.errno
print(len(first + rest), tries("v/rest"), tries("v/open/moved"), tries("v/newer", "w"))
P
mkfifo go && { "${served[@]}" python3 long.py <go >long 2>>log & }
exec 5>go
for _ in {1..100}; do [ -s long ] && break; sleep 0.1; done
set_policy "deny exe $python" && echo >&5 && exec 5>&- && sleep 1 && tail -n 1 long | grep -qx "$(seq 20000 | wc -c) opened 13 13" && grep -q "open/moved of .* was refused" agent.log
verdict policy-set-holds-from-the-next-file-on-and-what-is-open-goes-on $?
ends_with 0 "${served[@]}" "$cat" v/rest && set_policy "deny exe $cat" && ends_with 1 "${served[@]}" "$cat" v/rest && set_policy "" && ends_with 0 "${served[@]}" "$cat" v/rest
verdict policy-changes-under-a-running-agent $?

# By hand, under the running agent.
set_policy "deny exe $cat"
python3 -c 'import sqlite3; s = sqlite3.connect("v/.overlay/store.db"); s.execute("UPDATE policy SET text = \"# all\" WHERE version = (SELECT max(version) FROM policy)"); s.commit()'
ends_with 1 "${served[@]}" head -n 1 v/rest && grep -q 'Input/output error' log && grep -q "The policy of $PWD/v was changed, or taken away, by somebody without the volume's key: no keys are given" agent.log && ends_with 5 "$ctl" policy show v && grep -q WRONG log
verdict policy-that-was-edited-gives-nothing $?
python3 -c 'import sqlite3; s = sqlite3.connect("v/.overlay/store.db"); s.execute("DELETE FROM policy"); s.commit()'
ends_with 1 "${served[@]}" head -n 1 v/rest
verdict policy-that-was-deleted-gives-nothing $?
set_policy "deny exe $cat" && ends_with 0 "${served[@]}" head -n 1 v/rest && ends_with 1 "${served[@]}" "$cat" v/rest
verdict policy-set-anew-is-in-force-again $?
echo correct horse >pass && "$ctl" key add v "${key[@]}" --new-passphrase-file pass >>log 2>&1 && set_policy deny && ends_with 1 "${served[@]}" head -n 1 v/rest && echo '# all' >p && ends_with 0 "$ctl" policy set v p --passphrase-file pass && ends_with 0 "${served[@]}" head -n 1 v/rest
verdict policy-that-locks-everybody-out-is-undone-with-the-passphrase $?
kill $agent; wait $agent
ends_with 0 "$ctl" key rotate v "${key[@]}" --drop-slot 2 && set_policy "deny exe $cat path rest" && "$ctl" policy show v --all >shown && ! grep -q WRONG shown && [ "$(wc -l <shown)" -gt 1 ] && inside '! cat v/rest && head -n 1 v/rest'
verdict policy-and-its-versions-outlive-a-change-of-the-volume-key $?

# Ciphertext for backups.
set_policy "ciphertext exe $tar" 'default allow'
rm v/open/copied # two files of one key
inside 'tar -C v -cSf archive.tar . && ! tar -C v -xf archive.tar open && ! (echo x | tar -cf v/archive.tar -T /dev/null) && python3 -c "import os; assert os.path.getsize(\"v/rest\") == len(open(\"v/rest\").read())"' && ! grep -aq hidden archive.tar && grep -q "sees $PWD/v as it lies on disk: line 1" log && grep -q 'writes nothing here' log
verdict policy-ciphertext-reads-what-is-on-disk-and-writes-nothing $?
mkdir r && tar -C r -xpf archive.tar && cmp r/rest v/rest && cp -r v/.overlay r/ && ends_with 0 "$ctl" verify r "${key[@]}" && timeout 60 "$ctl" run --volume r "${key[@]}" -- bash -c 'cat r/open/moved && cmp <(seq 20000) r/rest' >log 2>&1 && grep -q hidden log && inside 'cmp <(seq 20000) v/rest'
verdict policy-ciphertext-archive-opens-with-the-store $?
inside 'tar -cf - v/rest | cat >v/inside.tar && ! tar -cf v/nested.tar v/rest; cd v && tar -cf - rest | wc -c >../size' && [ "$(tar -tvf - <<<"" 2>/dev/null; cat size)" -gt 10000 ]
verdict policy-ciphertext-through-a-pipe-is-sealed-as-any-data $?
rm v/.overlay/ciphertext && inside '! tar -C v -cf lost.tar rest' && grep -q 'rest of .* was refused' log
verdict policy-ciphertext-without-its-mark-gives-no-plaintext $?

# Users and groups.
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    chmod 711 "$work" run; chmod -R a+rX v/open v/secret v/rest; chmod 711 v
    set_policy 'default deny' 'allow user 0' 'allow group 4242 path open/**' 'allow user 65534 path rest'
    as='setpriv --reuid 65534 --regid'
    inside "cat v/secret/b && $as 65534 --clear-groups cat v/rest >/dev/null && ! $as 65534 --clear-groups cat v/open/moved && $as 65534 --groups 7,4242 cat v/open/moved && ! $as 65534 --groups 4242 cat v/secret/b" &&
        grep -q 'secret/b of .* (user 65534, process' log && [ "$(grep -c hidden log)" = 1 ]
    verdict policy-knows-users-and-groups $?
    inside 'python3 - <<P
import os
open("v/secret/b").close()
os.setgid(65534); os.setgroups([]); os.setuid(65534)
open("v/rest").close()
try:
    open("v/open/moved")
except PermissionError:
    print("refused")
P' && grep -q '^refused' log
    verdict policy-judges-who-has-given-up-its-privileges $?
else
    echo "skip policy-knows-users-and-groups, policy-judges-who-has-given-up-its-privileges: needs root and setpriv"
fi

# The audit log: what a rule wants recorded, denials, and a policy from what was seen.
set_policy 'audit path secret/**' "deny exe $cat path rest"
inside '! cat v/secret/b' && grep -q 'the audit log is off, and line 1: audit path' log && "$ctl" audit enable v "${key[@]}" >>log 2>&1 && inside 'cat v/secret/b && ! cat v/rest'
s=$?
"$ctl" audit show v --json >records && [ $s = 0 ] && python3 -c 'import json; r = [json.loads(line) for line in open("records")]; assert any(e["event"] == "grant" and e.get("path") == "open/a" and e["exe"].endswith("/cat") for e in r), r; assert any(e["event"] == "denied" and e.get("path") == "rest" and e["result"].startswith("policy: line 2: deny exe") for e in r)' 2>>log
verdict policy-audits-what-it-gives-and-denies $?
set_policy '# all' && inside 'cat v/open/moved; head -n 1 v/rest; mkdir v/d; echo x >v/d/f' && "$ctl" policy learn v --since 1h --sha256 >learnt 2>>log && grep -q '^default deny' learnt && grep -q "^allow exe $cat user $(id -u) sha256 " learnt && grep -q '^    path d/\*' learnt && ends_with 0 "$ctl" policy set v learnt "${key[@]}" &&
    inside 'cat v/open/moved && head -n 1 v/rest && ! tail -n 1 v/rest && ! head -n 1 v/d/f'
verdict policy-learn-proposes-what-was-seen $?
ends_with 0 "$ctl" audit verify v "${key[@]}"
verdict policy-leaves-the-audit-log-sound $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
