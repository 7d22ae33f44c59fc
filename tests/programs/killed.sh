#!/usr/bin/env bash
# The commands that change a volume's keys, killed after one of their writes: the volume is whole, the same command goes through afterwards, and no
# key that was to be destroyed is left in the store. Prints "ok NAME" or "FAIL NAME". OVERLAY_KILLS=N: at how many places each is killed; 0: at each.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=killed
. "$here/lib/verbs.sh"
kills=${OVERLAY_KILLS:-10}
calls=pwrite64,write,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate

for program in strace sqlite3; do
    command -v $program >/dev/null || { echo "skipped: $program is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
done
strace -qq true 2>/dev/null || { echo "skipped: nothing may be traced here"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

# traced CALL NUMBER: the command is killed when one of its threads has made that call NUMBER times. The shell's word on it is nobody's business.
traced() {
    { timeout -k 5 60 strace -f -qq -o trace -e trace=$calls -e "inject=$1:signal=KILL:when=$2" "${command[@]}" >killed.log 2>&1 </dev/null; } 2>/dev/null
}
# places: where to kill the command, "CALL NUMBER" a line: some of all, and of each call at least one
places() {
    local all
    copy_of
    traced write 65535 && all=$(grep -c '(' trace) && [ "$all" -gt 10 ] || return
    sed -n 's/^[0-9]* *\([a-z0-9]*\)(.*/\1/p' trace | sort | uniq -c |
        awk -v step=$((kills == 0 ? 1 : (all + kills - 1) / kills)) '{ for (number = 1; number <= $1; number += step) print $2, number }'
}
copy_of() { rm -rf w c.json && cp -a --sparse=always v w && cp b.db r.db; }
is_whole() { ends_with 0 "$ctl" verify w --key-file "$1" && ends_with 0 "$ctl" run --volume w --key-file "$1" -- cat w/1 w/40 && grep -q 'content 40' log; }
wrapped_key() { sqlite3 "$1/.overlay/store.db" "SELECT hex(wrapped_key) FROM file WHERE path = '$2'"; }
has_key() { cat w/.overlay/store.db* | od -An -v -tx1 | tr -d ' \n' | grep -qi "$1"; } # has_key HEX: anywhere in the files of the store

# killed NAME CHECK AFTERWARDS COMMAND...: CHECK holds wherever it is killed, AFTERWARDS when the command has gone through
killed() {
    local name=$1 check=$2 afterwards=$3 place status=0
    command=("${@:4}")
    places >places || { cat killed.log >log; verdict "$name" 1; return; }
    while read -r place; do
        copy_of
        traced $place
        mv c.json c.old 2>/dev/null # a certificate is not written over
        $check && $afterwards || { status=1; echo "killed at $place" >>log; break; }
    done <places
    verdict "$name" $status
}
goes_through() { ends_with 0 "${command[@]}" && is_whole key; }

"$ctl" init v --key-file key >log && "$ctl" run --volume v --key-file key -- sh -c 'for i in $(seq 40); do echo "content $i" >v/$i; done' && "$ctl" store backup v b.db >>log &&
    head -c 32 /dev/urandom | base64 >key2 && chmod 600 key2 && echo 'deny path secret/**' >policy && secret=$(wrapped_key v 7) && [ ${#secret} -gt 60 ] && rm -rf w && cp -a v w && has_key "$secret"
verdict prepared $?
is_destroyed() { goes_through && ! has_key "$secret" && ends_with 1 "$ctl" run --volume w --key-file key -- cat w/7; }
is_replaced() { goes_through && ! has_key "$secret" && ends_with 0 "$ctl" run --volume w --key-file key -- cat w/7; }
is_wrapped_anew() { goes_through && ! has_key "$secret" && [ "$(sqlite3 w/.overlay/store.db 'SELECT count(DISTINCT key_version) FROM file')" = 1 ]; }
is_added() { goes_through && is_whole key2; }
has_one_key() { is_whole key || is_whole key2; }
killed rotate "is_whole key" is_wrapped_anew "$ctl" key rotate w --key-file key
killed shred "is_whole key" is_destroyed "$ctl" shred w/7 --key-file key --yes --certificate c.json
killed rekey "is_whole key" is_replaced "$ctl" rekey w/7 --key-file key
killed restore "is_whole key" goes_through "$ctl" store restore w r.db --accept-rollback
killed add-key "is_whole key" is_added "$ctl" key add w --key-file key --new-key-file key2
killed change-key has_one_key true "$ctl" key change w --slot 1 --key-file key --new-key-file key2
killed policy "is_whole key" goes_through "$ctl" policy set w policy --key-file key
killed audit "is_whole key" goes_through "$ctl" audit enable w --key-file key
echo "$passed passed, $failed failed"
[ $failed = 0 ]
