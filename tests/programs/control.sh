#!/usr/bin/env bash
# overlay-ctl itself: exit codes, keys, JSON, signals, autostart, trace. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=control
. "$here/lib/verbs.sh"
run=("$ctl" run --volume v --key-file key --)

ends_with 0 "$ctl" init v --key-file key && [ "$(stat -c %a key)" = 600 ] && [ "$(stat -c %s key)" = 32 ]
verdict init-makes-a-key-file-for-its-owner $?
[ "$(stat -c %a v/.overlay)" = 700 ] && [ -z "$(find v/.overlay -type f -perm /077)" ]
verdict init-leaves-nothing-open-to-others $?
ends_with 3 "$ctl" init v --key-file key && grep -q 'volume already' log
verdict init-refuses-a-volume $?
mkdir full && echo x >full/file
ends_with 3 "$ctl" init full --key-file key && [ ! -e full/.overlay/config.json ]
verdict init-refuses-a-directory-with-files $?
ends_with 2 "$ctl" init w --key-file key --block-size 5000 && [ ! -e w/.overlay ]
verdict init-refuses-a-block-size $?
ends_with 2 "$ctl" init w --key-file key --cipher rot13
verdict init-refuses-a-cipher $?
ends_with 2 "$ctl" nonsense
verdict unknown-verb $?
ends_with 2 "$ctl" init w
verdict no-key-and-no-terminal $?
ends_with 0 "$ctl" --help && grep -q trace log && ends_with 0 "$ctl" run --help && grep -q -- --key-file log
verdict help $?
ends_with 0 "$ctl" --version
verdict version $?
head -c 32 /dev/urandom >other
ends_with 4 "$ctl" run --volume v --key-file other -- true
verdict wrong-key-file $?
ends_with 4 "$ctl" run --volume v --key-file missing -- true
verdict missing-key-file $?
ends_with 3 "$ctl" run --volume full --key-file key -- true
verdict not-a-volume $?
ends_with 7 "${run[@]}" sh -c 'exit 7'
verdict run-ends-as-its-command $?
ends_with 137 "${run[@]}" sh -c 'kill -9 $$'
verdict run-tells-a-signal $?
ends_with 127 "${run[@]}" no-such-command
verdict run-command-not-found $?
ends_with 126 "${run[@]}" "$work/key"
verdict run-command-not-executable $?
"${run[@]}" sh -c 'printf "#!/bin/sh\necho in the volume\nexit 9\n" >v/script; chmod +x v/script'
ends_with 9 "${run[@]}" v/script && grep -q 'in the volume' log
verdict run-command-in-the-volume $?
if echo 'int main(void) { return 8; }' | cc -static -x c - -o static 2>/dev/null; then
    ends_with 126 "${run[@]}" ./static && grep -q 'statically linked' log &&
        ends_with 8 "$ctl" run --allow-static --volume v --key-file key -- ./static
    verdict run-refuses-a-static-command $?
fi
# What Go's linker puts into programs and libraries has their calls trapped; but not where their threads are not libc's.
if command -v cc >/dev/null; then
    go_note='.section .note.go.buildid,"a",@note; .balign 4; .long 4, 4, 4; .asciz "Go"; .byte 0; .long 0; .text'
    # SIGSYS, the 31st, is caught
    catches='#include <stdio.h>
        int catches(void) { char line[256]; unsigned long mask = 0; FILE *status = fopen("/proc/self/status", "r");
        while (fgets(line, sizeof line, status)) sscanf(line, "SigCgt: %lx", &mask); fclose(status); return mask >> 30 & 1 ? 8 : 9; }'
    by_main='int main(void) { return catches(); }'
    echo "$catches $by_main" | cc -x c - -o no-go && ends_with 9 "${run[@]}" ./no-go && ends_with 8 "${run[@]:0:2}" --strict "${run[@]:2}" ./no-go &&
        echo "$catches $by_main __asm__(\"${go_note//\"/\\\"}\");" | cc -x c - -o go-note && ends_with 8 "${run[@]}" ./go-note &&
        echo "$catches __asm__(\"${go_note//\"/\\\"}\");" | cc -shared -fPIC -x c - -o libgo.so &&
        echo "int catches(void); $by_main" | cc -x c - -o go-library -L. -lgo -Wl,-rpath,"$PWD" && ends_with 8 "${run[@]}" ./go-library
    verdict run-traps-programs-that-bypass-libc $?
    echo 'static long block[64]; int main(void) { long result; __asm__("syscall" : "=a"(result) : "a"(158L), "D"(0x1002L), "S"(block + 32) : "rcx", "r11"); return 8; }' |
        cc -x c - -o own-threads && ends_with 125 "${run[@]}" ./own-threads && grep -q "threads are not libc's" log
    verdict run-refuses-threads-that-are-not-libcs $?
fi

# The loader takes nothing from the environment of a program that gets rights its user does not have.
if [ "$(id -u)" = 0 ] && command -v setcap >/dev/null && command -v cc >/dev/null; then
    echo 'int puts(const char *); int main(void) { puts("it runs"); return 8; }' | cc -x c - -o mine && cp mine capable && setcap cap_net_raw+ep capable &&
        cp mine owned && chown 1234 owned && chmod 4755 owned && chmod 755 . && mkdir -m 700 other-run && cp key other-key && mkdir w
    other=(setpriv --reuid 4321 --regid 4321 --clear-groups env OVERLAY_RUNTIME_DIR="$work/other-run" "$ctl")
    chown 4321 other-run other-key w
    "${other[@]}" init w --key-file other-key >log 2>&1
    ends_with 8 "${other[@]}" run --volume w --key-file other-key -- ./mine && ends_with 126 "${other[@]}" run --volume w --key-file other-key -- ./owned &&
        grep -q 'set-user-id' log && ends_with 126 "${other[@]}" run --volume w --key-file other-key -- ./capable && grep -q 'file capabilities' log && ! grep -q 'it runs' log &&
        ends_with 126 "${other[@]}" run --volume w --key-file other-key -- sh -c './capable >w/out' && ! grep -aq 'it runs' w/out &&
        ends_with 8 "${other[@]}" run --allow-static --volume w --key-file other-key -- ./capable && ends_with 8 "${run[@]}" ./capable
    verdict run-refuses-programs-that-get-rights $?
    # Nor of one that runs with another effective user or group than its real one.
    printf '%s\n' '#include <stdio.h>' '#include <unistd.h>' 'int main(int count, char **arguments) {' \
        'if (arguments[1][0] == 117 ? setresuid(-1, 1234, -1) : setresgid(-1, 1234, -1)) return 2;' \
        'execl("/bin/sh", "sh", "-c", "echo it runs", NULL); perror("execl"); return count + 6; }' >effective.c
    cc -D_GNU_SOURCE effective.c -o effective && ends_with 8 "${run[@]}" ./effective user && grep -q 'effective user or group' log && grep -q 'Permission denied' log &&
        ends_with 8 "${run[@]}" ./effective group && ! grep -q 'it runs' log && ends_with 0 "$ctl" run --allow-static --volume v --key-file key -- ./effective user && grep -q 'it runs' log
    verdict run-refuses-programs-of-another-effective-user $?
    # The agent may not open it either.
    ends_with 0 "${other[@]}" run --volume w --key-file other-key -- python3 -c '
import os
first = os.open("w/denied", os.O_RDWR | os.O_CREAT, 0o644)
second = os.open("w/denied", os.O_RDWR)
os.write(first, b"content")
os.fchmod(first, 0)
os.close(first)
assert os.pread(second, 100, 0) == b"content" and os.pwrite(second, b"CON", 0) == 3 and os.fstat(second).st_mode & 0o7777 == 0
os.fchmod(second, 0o600)
assert os.pread(second, 100, 0) == b"CONtent"'
    verdict other-descriptor-of-a-file-that-was-denied-to-its-owner $?
    chmod 700 .
fi

printf 'correct horse\n' >phrase
ends_with 0 "$ctl" init p --passphrase-file phrase && ends_with 0 "$ctl" run --volume p --passphrase-file phrase -- sh -c 'echo secret >p/a; cat p/a' &&
    grep -q secret log && ! grep -q secret p/a
verdict passphrase-file $?
timeout 60 "$ctl" run --volume p --passphrase-fd 5 -- cat p/a >log 2>&1 5<phrase
grep -q secret log
verdict passphrase-descriptor $?
printf 'wrong\n' >wrong
ends_with 4 "$ctl" run --volume p --passphrase-file wrong -- true
verdict wrong-passphrase $?
# script(1) gives a terminal: the phrase must be asked for, taken, and not shown.
(sleep 1; echo 'correct horse'; sleep 3) | timeout 60 script -qec "$ctl run --volume p -- cat p/a" /dev/null >log 2>&1
grep -q Passphrase log && grep -q secret log && ! grep -q 'correct horse' log
verdict passphrase-prompt-does-not-echo $?

printf 'battery staple\n' >phrase2
ends_with 0 "$ctl" key add v --key-file key --new-passphrase-file phrase2 --label spare && grep -qE '^Slot 2 was added: passphrase "spare" \(Argon2id, [0-9]+ MiB, [0-9]+ passes\)\.$' log &&
    ends_with 0 "$ctl" run --volume v --passphrase-file phrase2 -- cat v/script
verdict key-add $?
ends_with 0 "$ctl" key list v && [ "$(sed -nE '2,3s/ +[0-9]{4}-.*//p' log)" = $'1     key file\n2     passphrase spare' ] &&
    ends_with 0 "$ctl" key list v --json && python3 -c 'import json; s = json.load(open("log"))["slots"]; assert [x["slot"] for x in s] == [1, 2] and s[1]["memoryKiB"] >= 65536'
verdict key-list $?
ends_with 0 "$ctl" key change v --passphrase-file phrase2 --new-key-file key2 && [ "$(stat -c %a key2)" = 600 ] && grep -q '^Slot 2 was replaced by slot ' log &&
    ends_with 4 "$ctl" run --volume v --passphrase-file phrase2 -- true && ends_with 0 "$ctl" run --volume v --key-file key2 -- cat v/script
verdict key-change $?
slot=$("$ctl" key list v | awk '$NF != "cost" && /spare/ { print $1 }')
ends_with 0 "$ctl" key remove v "$slot" --key-file key --dry-run && ends_with 0 "$ctl" run --volume v --key-file key2 -- true &&
    ends_with 0 "$ctl" key remove v "$slot" --key-file key && ends_with 4 "$ctl" run --volume v --key-file key2 -- true
verdict key-remove $?
ends_with 4 "$ctl" key remove v 1 --key-file key2 && ends_with 4 "$ctl" key remove v 9 --key-file key &&
    ends_with 1 "$ctl" key remove v 1 --key-file key && grep -q 'is the last one' log && ends_with 0 "$ctl" run --volume v --key-file key -- true
verdict key-remove-refuses $?
# While programs use the volume: they go on, and so does their agent.
"${run[@]}" sh -c "echo before >v/k; $ctl key add v --key-file key --new-passphrase-file phrase2 >/dev/null && echo after >v/l && cat v/k v/l" >log 2>&1 &&
    [ "$(cat log)" = $'before\nafter' ] && ends_with 0 "$ctl" key change v --passphrase-file phrase2 --new-passphrase-file phrase
verdict key-beside-programs $?

# A signal that comes to overlay-ctl goes to the command; an orphan is reaped by it.
"$ctl" run --volume v --key-file key -- bash -c 'trap "echo got it >v/signal; exit 3" TERM; echo up >ready; while :; do sleep 0.1; done' >log 2>&1 &
launcher=$!
for _ in $(seq 100); do [ -e ready ] && break; sleep 0.1; done
kill -TERM $launcher
wait $launcher
[ $? = 3 ] && "${run[@]}" cat v/signal 2>&1 | grep -q 'got it'
verdict run-forwards-signals $?
ends_with 0 "${run[@]}" bash -c '(sleep 0.3 & ) ; sleep 0.8; ps -eo ppid,stat | awk -v p=$PPID "\$1 == p && \$2 ~ /Z/ { bad = 1 } END { exit bad }"'
verdict run-reaps-orphans $?
ends_with 0 "$ctl" run --wait --volume v --key-file key -- sh -c '(sleep 1; echo late >v/late) &' && "${run[@]}" cat v/late | grep -q late
verdict run-waits-for-all-when-asked $?
# As the first process of a container: signals that it does not handle would not even reach it, and orphans become its children.
if unshare --pid --fork --mount-proc true 2>/dev/null; then
    rm -f ready
    unshare --pid --fork --mount-proc "${run[@]}" bash -c 'trap "echo got it >v/first; exit 7" TERM; (setsid sh -c "sleep 0.2; ps -o ppid= \$\$ >v/orphan; : >ready" &)
        while :; do sleep 0.1; done' >log 2>&1 &
    launcher=$!
    for _ in $(seq 100); do [ -e ready ] && break; sleep 0.1; done
    kill -TERM "$(pgrep -P $launcher)"
    wait $launcher
    [ $? = 7 ] && "${run[@]}" cat v/first v/orphan >log 2>&1 && grep -q 'got it' log && grep -qx ' *1' log
    verdict run-is-a-containers-first-process $?
else
    echo "skipped run-is-a-containers-first-process: no new process namespace here"
fi

LD_PRELOAD=${ctl%/bin/*}/lib/overlay/liboverlay-shim.so OVERLAY_VOLUMES=$work/v OVERLAY_KEY_FILE=$work/key \
    timeout 60 bash -c 'echo by itself >v/auto; cat v/auto' >log 2>&1
grep -q 'by itself' log && ! grep -q 'by itself' v/auto
verdict agent-starts-from-the-environment $?
ends_with 0 "$ctl" status v --json && python3 -c 'import json; d = json.load(open("log")); assert d["volumes"][0]["pooledKeys"] > 0'
verdict status-of-that-agent $?
pid=$(python3 -c 'import json; print(json.load(open("log"))["processId"])' 2>>log) && kill "$pid"
verdict agent-ends-on-a-signal $?
ends_with 6 "$ctl" status p
verdict status-without-an-agent $?

"${run[@]}" sh -c 'head -c 100000 /dev/zero | tr "\0" x >v/big' >log 2>&1
ends_with 0 "$ctl" inspect v/big --json && python3 -c 'import json; d = json.load(open("log")); assert d["size"] == 100000 and d["cipher"] == "aes-256-gcm", d'
verdict inspect-without-a-key $?
ends_with 0 "$ctl" inspect v/big --volume v --key-file key && grep -q 'every block is authentic' log
verdict inspect-verifies-with-the-key $?
cp --sparse=always v/big copy && printf 'x' | dd of=copy bs=1 seek=12300 conv=notrunc status=none
ends_with 5 "$ctl" inspect copy --volume v --key-file key && grep -q 'block 0' log
verdict inspect-finds-damage $?
ends_with 5 "$ctl" inspect key
verdict inspect-of-a-foreign-file $?
ends_with 0 "${run[@]}" "$ctl" inspect v/big
verdict inspect-inside-sees-what-is-on-disk $?
timeout 60 "$ctl" trace --json --output trace --volume v --key-file key -- cat v/big >/dev/null 2>log
python3 - >>log 2>&1 <<'P'
import json
calls = [json.loads(line) for line in open("trace")]
assert any(c["call"] == "read" and c["sealed"] and c["result"] == 100000 for c in calls), calls
P
verdict trace $?
ends_with 1 "${run[@]}" sh -c 'cat v/.overlay/store.db || exit 1'
verdict store-is-hidden-inside $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
