#!/usr/bin/env bash
# other_libc.sh SUITE [SCENARIO...]: the scenarios in a root of another Debian suite, with its glibc; not a part of `make test`.
#   tests/programs/other_libc.sh trixie                      a few of them
#   ROOT=/var/tmp/trixie tests/programs/other_libc.sh trixie git    keeps the root, and takes it again
# Needs root, debootstrap, the network, and some 500 MB. MIRROR: another than deb.debian.org.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
suite=$1
shift
[ $# -gt 0 ] || set -- bash_redirect coreutils_copy python_files processes raw_programs
packages=gcc,libc6-dev,python3,git,sqlite3,bc,procps,util-linux,file,perl,xz-utils,ripgrep

[ "$(id -u)" = 0 ] || { echo "other_libc.sh: making a root needs root" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "other_libc.sh: please install debootstrap" >&2; exit 2; }
[ -x "$repository/out/bin/overlay-ctl" ] || { echo "other_libc.sh: run 'make build' first" >&2; exit 2; }

root=${ROOT:-$(mktemp -d "${TMPDIR:-/tmp}/overlay-$suite.XXXXXX")}
clean() { [ -n "${ROOT:-}" ] || rm -rf --one-file-system "$root"; }
trap clean EXIT
[ -x "$root/usr/bin/python3" ] ||
    debootstrap --variant=minbase --include="$packages" "$suite" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 1; }
rm -f "$root.log"

mkdir -p "$root/overlay"
rm -rf "$root/overlay/out" "$root/overlay/tests"
mkdir -p "$root/overlay/out" "$root/overlay/tests"
cp -a "$repository/out/bin" "$repository/out/lib" "$root/overlay/out/"
cp -a "$here" "$root/overlay/tests/"
# The namespace ends, and its mounts with it, when the command does.
unshare --mount --pid --fork sh -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"
    exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c "ldd --version | head -n 1; exec \"\$@\"" sh "$@"' \
    "$root" /overlay/tests/programs/run.sh "$@"
