#!/usr/bin/env bash
# The packages: made twice to the same bytes; installed, used, upgraded beside running programs and purged in a minimal Debian root.
# Not a part of `make test`: it needs root, debootstrap and, the first time, the network. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
. "$(dirname "$0")/lib/suite.sh"
[ "$(id -u)" = 0 ] || skip_suite "installing packages needs root"
command -v debootstrap >/dev/null || skip_suite "debootstrap is missing"
unshare --mount --pid --fork true 2>/dev/null || skip_suite "no mount and process namespaces can be made here"
[ -x "$repository/out/bin/overlay-ctl" ] || { echo "packages.sh: run 'make build' first" >&2; exit 2; }
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root user=$work/root/home/someone
make_packages() { "$repository/tools/package/make.sh" "$@"; }

# in_root USER COMMAND...: the namespaces end with the command, and all that it started with them
in_root() {
    local who=$1
    shift
    unshare --mount --pid --fork --kill-child sh -c '
        root=$0 who=$1; shift
        mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" -o mode=1777
        exec chroot --userspec="$who" "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/someone TERM=dumb "$@"' \
        "$root" "$who" "$@"
}
as_user() { in_root 1000:1000 sh -euc "cd; $1"; }
in_volume() { as_user "overlay-ctl run --volume vault --key-file key -- sh -euc '$1'"; }
# What a package manager writes for itself is left out, and the user's own.
files() { (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache -o -path ./home \) -prune -o -print | LC_ALL=C sort); }

same_bytes() {
    make_packages "$work/one"
    make_packages "$work/two"
    diff -r "$work/one" "$work/two"
    [ "$(ls "$work/one" | wc -l)" = 3 ]
    cd "$work/one"
    sha256sum -c SHA256SUMS-*
}
check "the same tree makes the same bytes" same_bytes
check "an earlier version" make_packages --version 0.0.9 "$work/old"
new=$(echo "$work"/one/*.deb) old=$(echo "$work"/old/*.deb) tarball=$(echo "$work"/one/*.tar.gz)
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$repository/Directory.Build.props")
same "one version everywhere" "$version-1 overlay-$version-linux-x86_64.tar.gz $version" \
    "$(dpkg-deb -f "$new" Version) $(basename "$tarball") $("$repository/out/bin/overlay-ctl" --version | cut -d+ -f1)"
if command -v lintian >/dev/null; then
    same "lintian has nothing to say" "" "$(lintian --allow-root "$new" 2>&1)"
else
    skip "lintian has nothing to say" "lintian is not installed"
fi

debian_root "$root" || { echo "FAIL no Debian root"; echo "$passed passed, $((failed + 1)) failed"; exit 1; }
mkdir -p "$user" "$root/packages"
chown 1000:1000 "$user"
cp "$old" "$root/packages/old.deb" && cp "$new" "$root/packages/new.deb"
files >"$work/before"

check "install" in_root 0:0 dpkg -i /packages/old.deb
same "nothing that it depends on is missing" "" "$(in_root 0:0 dpkg --audit)"
check "make a volume" as_user 'overlay-ctl init vault --key-file key'
check "use it" in_volume 'echo "a secret of the first release" >vault/note; seq 20000 >vault/numbers; sort -n vault/numbers | tail -n 1 | grep -x 20000'
same "the disk has ciphertext" "0 89" "$(grep -c 'first release' "$user/vault/note") $(head -c 1 "$user/vault/note" | od -An -tx1 | tr -d ' ')"
check "doctor finds nothing wrong" as_user 'overlay-ctl doctor --volume vault -- /bin/sh'

# A program of the old version, with its agent, goes on while the new one is unpacked over it; and so do programs that it starts then.
upgrade_beside_a_program() {
    in_volume 'touch started; until [ -e go ]; do sleep 0.05; done; cat vault/note >/dev/null; echo "written by both" >vault/both; cat vault/both' >"$work/beside" 2>&1 &
    local running=$!
    for _ in $(seq 200); do [ ! -e "$user/started" ] || break; sleep 0.05; done
    [ -e "$user/started" ]
    in_root 0:0 dpkg -i /packages/new.deb
    touch "$user/go"
    wait "$running"
    diff "$work/beside" - <<<"written by both"
}
check "upgrade beside a running program" upgrade_beside_a_program
same "the new version is there" "$version" "$(as_user 'overlay-ctl --version' | cut -d+ -f1)"
check "its files are what the package says" in_root 0:0 sh -c 'dpkg --verify overlay-ctl >/tmp/said; cat /tmp/said; [ ! -s /tmp/said ]'
same "what was written before is there" "a secret of the first release written by both 20000" \
    "$(in_volume 'cat vault/note vault/both; tail -n 1 vault/numbers' | paste -sd' ')"
check "verify" as_user 'overlay-ctl verify vault --key-file key'

(cd "$user" && find vault key -type f -exec sha256sum {} + | LC_ALL=C sort) >"$work/vault-before"
check "purge" in_root 0:0 dpkg --purge overlay-ctl
same "nothing is left of it" "" "$(files | diff "$work/before" -)"
same "the user's volume is left as it was" "" "$(cd "$user" && find vault key -type f -exec sha256sum {} + | LC_ALL=C sort | diff "$work/vault-before" -)"

check "the tarball, where it was unpacked" sh -euc "tar -C $user -xzf $tarball && mv $user/overlay-* $user/tree"
same "opens the same volume" "a secret of the first release" "$(as_user 'tree/bin/overlay-ctl run --volume vault --key-file key -- cat vault/note')"
summary
