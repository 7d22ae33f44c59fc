#!/usr/bin/env bash
# overlay-ctl doctor: its output as it should be (golden/), and each check made to fail. Prints "ok NAME" or "FAIL NAME"; ends with a count.
# UPDATE=1 writes the golden files anew.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=doctor
. "$here/lib/verbs.sh"
doctor=("$ctl" doctor)
ulimit -Sn 1024
"$ctl" init v --key-file key >log 2>&1

# What differs from machine to machine is replaced.
normal() {
    sed -E -e "s#$work#WORK#g" -e "s#${ctl%/bin/*}#OUT#g" -e 's/Linux [0-9][^ "]*/Linux VERSION/' -e 's/[0-9]+ MiB/N MiB/' -e 's/[0-9a-f]{32}/ID/' \
        -e 's/glibc [0-9.]+, [0-9]+ of [0-9]+/glibc VERSION, N of N/' -e 's/(unlimited|[0-9]+) bytes a process/N bytes a process/' \
        -e 's/\b(ext4|xfs|btrfs|tmpfs|overlayfs)\b/FILESYSTEM/' -e 's/no filter|a filter is active; .*through it/FILTER/'
}
golden() { # golden NAME: standard input is what golden/NAME says
    normal >"$work/found"
    [ -z "${UPDATE:-}" ] || cp "$work/found" "$here/golden/$1"
    diff "$here/golden/$1" "$work/found" >log
}
check() { # check VERDICT NAME STATE TEXT COMMAND...: the check NAME is in STATE, its finding has TEXT in it
    local verdict=$1 name=$2 state=$3 text=$4 status=0
    shift 4
    timeout -k 5 120 "$@" --json >log 2>&1 </dev/null || status=$?
    python3 - "$name" "$state" "$text" "$status" <<'P' 2>>log
import json, sys
name, state, text, status = sys.argv[1:]
report = json.load(open("log"))
found = [c for c in report["checks"] if c["name"] == name]
assert [c["state"] for c in found] == [state], found
assert text in found[0]["finding"], found
assert ("remedy" in found[0]) == (state != "ok")
failures = [c for c in report["checks"] if c["state"] == "fail"]
assert report["failures"] == len(failures) and (status == "8") == bool(failures) and (report["result"] == "unfit") == bool(failures), report
assert state == "fail" or not failures, failures
P
    verdict "$verdict" $?
}
program() { check "$1" "$2" "$3" "$4" sh -c 'exec "$1" doctor --json -- "$2"' sh "$ctl" "$5"; }

"${doctor[@]}" --volume v --key-file key -- /bin/ls | golden doctor.txt
verdict what-a-person-sees $?
"${doctor[@]}" --json --volume v --key-file key -- /bin/ls | golden doctor.json
verdict what-a-program-sees $?
"${doctor[@]}" --volume missing -- ./missing | golden doctor_unfit.txt
verdict what-a-person-sees-of-failures $?
ends_with 0 "${doctor[@]}" && ends_with 8 "${doctor[@]}" -- ./missing && ends_with 2 "${doctor[@]}" --nonsense
verdict exit-statuses $?
ls -A v/.overlay | grep -q doctor
[ $? = 1 ]
verdict leaves-nothing-behind $?

# system
check few-descriptors descriptors warn 100 bash -c 'ulimit -n 100; exec "$@"' sh "${doctor[@]}"
check too-few-descriptors descriptors fail 40 bash -c 'ulimit -n 40; exec "$@"' sh "${doctor[@]}"
check no-locked-memory locked-memory warn '0 bytes' bash -c 'ulimit -l 0; exec "$@"' sh "${doctor[@]}"
check little-address-space address-space warn 1536000000 bash -c 'ulimit -v 1500000; exec "$@"' sh "${doctor[@]}"
check text-that-may-not-change libc warn 'every system call is trapped' \
    python3 -c 'import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0 or sys.exit(77); os.execv(sys.argv[1], sys.argv[1:])' "${doctor[@]}"
chmod 777 run
check an-open-runtime-directory runtime-directory fail 'open to others' env OVERLAY_RUNTIME_DIR="$work" sh -c 'mkdir -p "$OVERLAY_RUNTIME_DIR/overlay-$(id -u)"; chmod 777 "$OVERLAY_RUNTIME_DIR/overlay-$(id -u)"; exec "$@"' sh "${doctor[@]}"
chmod 700 run
cp -r "${ctl%/bin/*}" tree && rm tree/lib/overlay/liboverlay-engine.so tree/lib/overlay/overlay-start
check an-incomplete-installation installation fail 'liboverlay-engine.so, overlay-start' "$work/tree/bin/overlay-ctl" doctor
rm -r tree
if unshare --pid --fork sh -c 'echo 2 >/proc/sys/vm/memfd_noexec' 2>/dev/null; then
    check no-programs-in-memory programs-in-memory warn 'is 2' unshare --pid --fork sh -c 'echo 2 >/proc/sys/vm/memfd_noexec; "$@"' sh "${doctor[@]}"
else
    echo "skipped no-programs-in-memory: vm.memfd_noexec cannot be set here"
fi

# program
echo 'int main(void) { return 8; }' >main.c
program a-missing-program program fail 'was not found' no-such-program
cp /bin/ls plain && chmod -x plain
program a-program-that-may-not-run program fail 'may not be executed' ./plain
cc -static main.c -o static && program a-static-program format fail 'statically linked' ./static
cc main.c -o thirty && printf '\001' | dd of=thirty bs=1 seek=4 conv=notrunc status=none && program a-32-bit-program format fail 32-bit ./thirty
cc main.c -o machine && printf '\267' | dd of=machine bs=1 seek=18 conv=notrunc status=none && program another-machines-program format fail 'not a program for this machine' ./machine
echo text >text && chmod +x text && program no-program-at-all format fail 'not a program' ./text
cc -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 main.c -o musl && program a-musl-program loader fail ld-musl ./musl
echo 'long main(void) { long r; __asm__ volatile("mov $1, %%eax\n syscall" : "=a"(r) :: "rcx", "r11"); return 0; }' | cc -w -x c - -o own &&
    program a-program-with-calls-of-its-own interception warn 'past libc are trapped' ./own
echo 'int gone(void) { return 0; }' | cc -shared -fPIC -x c - -o libgone.so && echo 'int gone(void); int main(void) { return gone(); }' | cc -x c - -o lost -L. -lgone &&
    rm libgone.so && program a-missing-library loader fail libgone.so ./lost
printf '#!%s\n' "$work/static" >script && chmod +x script && program a-script-of-a-static-program format fail 'statically linked' ./script
printf '#!/no/such/interpreter\n' >broken && chmod +x broken && program a-script-of-nothing program fail '/no/such/interpreter' ./broken
"$ctl" run --volume v --key-file key -- cp /bin/ls v/ls >log 2>&1
program a-program-in-the-volume format warn 'lies in a volume' v/ls
printf '#!/bin/sh\ntouch "%s/has-run"\n' "$work" >side && chmod +x side && "${doctor[@]}" -- ./side >log 2>&1 && [ ! -e has-run ] &&
    echo 'int puts(const char *); int main(void) { return puts("has run"); }' | cc -x c - -o loud && "${doctor[@]}" -- ./loud >log 2>&1 && ! grep -q 'has run' log
verdict the-program-is-not-run $?
if [ "$(id -u)" = 0 ]; then
    cc main.c -o owned && chown 1234 owned && chmod 4755 owned && program a-set-user-id-program privileges fail set-user-id ./owned
    cc main.c -o capable && setcap cap_net_raw+ep capable && chmod 755 "$work" && mkdir -m 700 theirs && chown 1234 theirs &&
        check a-program-with-capabilities privileges fail 'file capabilities' setpriv --reuid 1234 --regid 1234 --clear-groups \
            env OVERLAY_RUNTIME_DIR="$work/theirs" sh -c 'exec "$1" doctor --json -- ./capable' sh "$ctl"
    chmod 700 "$work"
fi

# volume
volume() { check "$1" "$2" "$3" "$4" "${doctor[@]}" --volume "$5"; }
volume no-directory volume fail 'does not exist' missing
mkdir empty && volume not-a-volume-yet volume warn 'not a volume yet' empty
cp -r v damaged && echo nonsense >damaged/.overlay/config.json && volume a-damaged-configuration volume fail 'not a configuration' damaged
cp -r v storeless && rm storeless/.overlay/store.db* && volume a-missing-store store fail 'does not exist' storeless
cp -r v broken-store && head -c 100000 /dev/urandom >broken-store/.overlay/store.db && rm -f broken-store/.overlay/store.db-* && volume a-damaged-store store fail 'store' broken-store
cp -r v open && chmod 755 open/.overlay && volume an-open-volume permissions warn 755 open
(umask 077; head -c 32 /dev/urandom >other)
check a-wrong-key key fail 'not the key file' "${doctor[@]}" --volume v --key-file other
check a-right-key key ok unlocks "${doctor[@]}" --volume v --key-file key
check no-large-files large-files warn 'a file may have 1024000 bytes' bash -c 'ulimit -f 1000; exec "$@"' sh "${doctor[@]}" --volume v
if mkdir mounted && unshare --mount mount -t tmpfs -o size=4m none mounted 2>/dev/null; then
    export VOLUME REMOUNT
    on_mount() { # on_mount OPTIONS NAME STATE TEXT VERDICT: a copy of $VOLUME on a file system of its own
        check "$5" "$2" "$3" "$4" unshare --mount sh -c 'mount -t '"$1"' mounted && cp -r $VOLUME/. mounted && { [ -z "$REMOUNT" ] || mount -o "remount,$REMOUNT" mounted; } && exec "$@"' sh "${doctor[@]}" --volume mounted
    }
    "$ctl" init apart --key-file key --store "$work/apart.db" >log 2>&1
    VOLUME=v REMOUNT='' on_mount 'tmpfs -o size=4m none' space warn ' MiB free' little-space
    VOLUME=apart REMOUNT=ro on_mount 'tmpfs -o size=200m none' writing warn 'read-only' a-read-only-volume
else
    echo "skipped little-space, a-read-only-volume: nothing can be mounted here"
fi
"$ctl" agent --volume v --key-file key --ready-fd 3 3>ready >log 2>&1 &
agent=$!
for _ in $(seq 100); do [ -s ready ] && break; sleep 0.1; done
volume an-agent-that-answers agent ok "process $agent answers" v
kill $agent
wait $agent 2>/dev/null

echo "$passed passed, $failed failed"
[ $failed = 0 ]
