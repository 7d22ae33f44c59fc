#!/bin/sh
# Installs what building and testing need: with apt-get where we are root, otherwise it says what to install.
# usage: setup.sh build|test|package|root|boxes...
set -eu

build_packages='gcc libc6-dev make zlib1g-dev'
test_packages='g++ sqlite3 git python3 python3-dev rsync perl nodejs strace xz-utils zstd cpio zip unzip file procps util-linux bc
    lmdb-utils python3-lmdb mold btrfs-progs fio acl attr libcap2-bin ripgrep softhsm2 openssl tmux groff'
package_packages='binutils dpkg-dev gzip xz-utils'
root_packages='debootstrap'
boxes_packages='podman runc catatonit uidmap'
packages=''
for part in "$@"; do
    case $part in
    build) packages="$packages $build_packages" ;;
    test) packages="$packages $test_packages" ;;
    package) packages="$packages $package_packages" ;;
    root) packages="$packages $root_packages" ;;
    boxes) packages="$packages $boxes_packages" ;;
    *) echo "setup.sh: unknown part '$part'" >&2; exit 2 ;;
    esac
done

if ! command -v dotnet >/dev/null 2>&1; then
    echo 'The .NET SDK 10 is needed: https://dotnet.microsoft.com/download' >&2
    exit 1
fi
command -v dpkg-query >/dev/null 2>&1 || exit 0 # another distribution: the compiler will say what is missing
missing=''
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
    # A program that came another way will do.
    case $package in nodejs) command -v node >/dev/null 2>&1 && continue ;; esac
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "Please install:$missing" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
