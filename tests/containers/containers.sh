#!/usr/bin/env bash
# Overlay in real containers: the image, docs/containers.md as it stands, restrictions, signals, kills, several containers on one volume.
# Not a part of `make test`: it needs root, podman, debootstrap and, the first time, the network. Prints "ok NAME" or "FAIL NAME"; ends with a count.
#   SUITES="trixie" tests/containers/containers.sh    the shim in unmodified images of these Debian suites as well
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/suite.sh"
. "$here/lib/podman.sh"
[ "$(id -u)" = 0 ] || skip_suite "making a base image needs root"
for program in podman runc debootstrap; do command -v "$program" >/dev/null || skip_suite "$program is missing"; done
make_podman >"$work/log" 2>&1 || skip_suite "podman does not run here: $(tail -n 1 "$work/log")"
trap podman_end EXIT
unset MAKEFLAGS MAKELEVEL MFLAGS
export BASE=localhost/base ELSEWHERE=$work/elsewhere
box="--rm --cap-drop=all --security-opt=no-new-privileges --read-only --user 1000 --network none"
mkdir "$ELSEWHERE" && cd "$ELSEWHERE" || exit 2

# base SUITE NAME: an image of a minimal Debian
base() {
    debian_root "$work/root" "$1"
    tar -C "$work/root" -cf "$work/root.tar" .
    podman import -q --change "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$work/root.tar" "$2"
    rm -rf --one-file-system "$work/root" "$work/root.tar"
}
check "a base image without a registry" base bookworm "$BASE"
[ "$failed" = 0 ] || { summary; exit 1; }
podman run $box "$BASE" true >"$work/log" 2>&1 || skip_suite "podman starts no container here: $(tail -n 1 "$work/log")"

walk_through() {
    cd "$repository"
    "$here/lib/document.py" docs/containers.md >"$work/document.sh"
    bash "$work/document.sh" | tail -n 1
    [ "${PIPESTATUS[0]}" = 0 ]
}
check "docs/containers.md, block by block" walk_through
[ -e data/.overlay/config.json ] || { summary; exit 1; }

volume="-v $ELSEWHERE/data:/data -v $ELSEWHERE/secret:/run/secrets/overlay:ro"
unlock="--volume /data --key-file /run/secrets/overlay/key --"
# inside COMMAND...: in a restricted container with the volume
inside() { podman run $box $volume overlay $unlock "$@"; }
in_shell() { inside sh -euc "$1"; }
# started NAME SCRIPT: in the background, and so far that it has made /data/NAME.up
started() {
    podman run -d --name "$1" $box $volume overlay $unlock sh -euc "$2"
    for _ in $(seq 200); do podman exec "$1" test -e "/data/$1.up" && return; sleep 0.05; done
    return 1
}

same "no capability, no new privileges, the default seccomp filter" "0000000000000000 1 2" \
    "$(in_shell 'sed -n "s/^\(CapEff\|NoNewPrivs\|Seccomp\):\s*//p" /proc/self/status' | paste -sd' ')"
same "no network but the loop, no device but the usual ones" "lo fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" \
    "$(in_shell 'sed -n "s/^ *\([a-z0-9]*\):.*/\1/p" /proc/net/dev; ls /dev' | paste -sd' ')"
same "the root cannot be written" "Read-only file system" "$(in_shell 'touch /new || true' 2>&1 | sed 's/.*: //')"
same "orphans are reaped by process 1" "" "$(in_shell '(sleep 0.1 &) ; (sleep 0.2 &) ; sleep 0.6; cat /proc/[0-9]*/stat | grep " Z " || true')"
same "the exit status is the program's, or tells its signal" "3 137" \
    "$(in_shell 'exit 3' >/dev/null 2>&1; echo -n "$? "; in_shell 'kill -9 $$' >/dev/null 2>&1; echo $?)"

# Everything that was acknowledged is there, whatever ends the container.
killed() {
    podman run --name killed $box $volume overlay $unlock sh -euc 'i=0; while :; do i=$((i+1)); echo $i >>/data/killed.log; echo $i; done' >"$work/acknowledged" &
    for _ in $(seq 200); do [ "$(wc -l <"$work/acknowledged")" -lt 500 ] || break; sleep 0.05; done
    podman kill -s KILL killed
    wait $! || true
    local last
    last=$(tail -n 1 "$work/acknowledged")
    [ "$last" -ge 500 ]
    in_shell "[ \"\$(wc -l </data/killed.log)\" -ge $last ]; seq \"\$(wc -l </data/killed.log)\" | cmp - /data/killed.log"
    podman run $box $volume --entrypoint overlay-ctl overlay verify /data --key-file /run/secrets/overlay/key
}
check "a killed container loses nothing" killed

two_databases() {
    in_shell 'sqlite3 /data/db "pragma journal_mode=wal; create table t(who, n)"'
    local insert='for i in $(seq 150); do sqlite3 -cmd ".timeout 20000" /data/db "insert into t values(\"$0\", $i)"; done'
    inside sh -euc "$insert" a & local first=$!
    inside sh -euc "$insert" b
    wait $first
    in_shell 'sqlite3 /data/db "pragma integrity_check; select who, count(*), sum(n) from t group by who"' | diff - <(printf 'ok\na|150|11325\nb|150|11325\n')
}
check "two containers write one database (shared mappings)" two_databases

two_open_databases() { # both have it mapped all the time; the one that keeps the pages ends first
    in_shell 'sqlite3 /data/open.db "pragma journal_mode=wal; create table t(n)"'
    started keeper '{ echo "insert into t values(1);"; sleep 1; echo ".shell touch /data/keeper.up"; sleep 3; } | sqlite3 /data/open.db'
    started heir '{ echo "insert into t values(2);"; sleep 1; echo ".shell touch /data/heir.up"; sleep 6; echo "insert into t values(3);"; } | sqlite3 /data/open.db'
    podman wait keeper || true
    in_shell 'sqlite3 -cmd ".timeout 5000" /data/open.db "insert into t values(4)"'
    podman wait heir || true
    in_shell 'sqlite3 /data/open.db "pragma integrity_check; select group_concat(n) from (select n from t order by n)"' | diff - <(printf 'ok\n1,2,3,4\n')
}
check "the container that keeps the pages ends, another inherits" two_open_databases

locks() {
    started locker 'exec 9>/data/lock; flock 9; touch /data/locker.up; sleep 60'
    in_shell 'exec 9>/data/lock; ! flock -n 9'
    podman stop -t 5 locker
    in_shell 'exec 9>/data/lock; flock -n 9'
}
check "a lock holds between containers" locks

mapped_users() { # users of the container are others of the host: the same host user in both
    local mapped="--rm --cap-drop=all --security-opt=no-new-privileges --read-only --network none -v $ELSEWHERE/data:/data -v $ELSEWHERE/secret:/run/secrets/overlay:ro"
    podman run $mapped --user 0 --uidmap 0:1000:1 --gidmap 0:1000:1 overlay $unlock \
        sh -euc 'for i in $(seq 40); do sqlite3 -cmd ".timeout 20000" /data/db "insert into t values(\"root\", $i)"; done' & local first=$!
    in_shell 'for i in $(seq 40); do sqlite3 -cmd ".timeout 20000" /data/db "insert into t values(\"user\", $i)"; done'
    wait $first
    in_shell 'sqlite3 /data/db "pragma integrity_check; select who, count(*) from t where who in (\"root\", \"user\") group by who"' | diff - <(printf 'ok\nroot|40\nuser|40\n')
}
check "containers of two user namespaces" mapped_users

wrong_key() {
    podman run $box -v "$ELSEWHERE/data:/data" overlay --volume /data --key-file /usr/bin/env -- cat /data/cards && return 1
    podman run $box -v "$ELSEWHERE/data:/data" overlay --volume /data --key-file /none -- cat /data/cards && return 1
    ! grep 4000 "$work/log"
}
check "another key, or none, opens nothing" wrong_key
same "nothing of what was written is on the disk in the clear" "" "$(grep -rlE '4000 0000|insert into|^running|^a 17$' data || true)"

# The manifests' pods, run by podman, which reads the same files: init containers, secret, claim, security context. Not their fsGroup and modes.
played() { # played FILE CLAIM: its program has written to the volume, which is ciphertext
    sed -i -e "s|overlay:[0-9.]*|localhost/overlay:latest|; s|debian:bookworm-slim|$BASE|; s/secretName: overlay-key,/& optional: false,/" "$1"
    # Else podman 4.3 removes an init container while it still counts as running, now and then.
    sed -i '0,/^metadata:.*/s//metadata: {name: overlay-example, annotations: {io.podman.annotations.init.container.type: always}}/; /^  name: overlay-example$/d' "$1"
    podman kube play --network none "$1"
    local at status=1
    at=$(podman volume inspect --format '{{.Mountpoint}}' "$2")
    for _ in $(seq 100); do [ ! -s "$at/vault/log" ] || { status=0; break; }; sleep 0.1; done
    podman exec overlay-example-program sed -n '/CapEff\|NoNewPrivs\|Seccomp:/p' /proc/self/status | diff - <(printf 'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n')
    head -c 8 "$at/vault/log" | od -An -tx1 | grep -x ' 89 4f 56 4c 59 0d 0a 1a'
    podman kube down "$1"
    return $status
}
pod_of_the_set() {
    printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: overlay-example}\nspec:\n'
    sed -n '/^    spec:$/,/^  volumeClaimTemplates:/p' "$repository/tools/kubernetes/statefulset.yaml" | sed '1d; $d; s/^    //'
    printf '    - name: data\n      persistentVolumeClaim: {claimName: overlay-set}\n'
}
play_pod() { cp "$repository/tools/kubernetes/pod.yaml" pod.yaml; played pod.yaml overlay-example; }
play_set() { pod_of_the_set >set.yaml; played set.yaml overlay-set; }
if [ -x /usr/libexec/podman/catatonit ]; then
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: overlay-key}\ndata: {key: %s}\n' "$(base64 -w0 secret/key)" >secret.yaml
    check "a secret" podman kube play --network none secret.yaml
    check "pod.yaml, played by podman" play_pod
    check "the pod of statefulset.yaml, played by podman" play_set
else
    skip "pods played by podman" "catatonit is missing, which podman's pods need"
fi

# The shim from a volume, in other images that have never seen Overlay.
for suite in ${SUITES:-}; do
    check "an image of $suite" base "$suite" "localhost/$suite"
    same "the shim from a volume, in $suite" "4000 0000 0000 0002" "$(podman run $box $volume -v "$ELSEWHERE/shim:/opt/overlay:ro" \
        -e LD_PRELOAD=/opt/overlay/lib/overlay/liboverlay-shim.so -e OVERLAY_VOLUMES=/data -e OVERLAY_KEY_FILE=/run/secrets/overlay/key "localhost/$suite" cat /data/cards 2>&1)"
done
summary
