#!/bin/sh
# Makes the packages of a built tree: a tarball that can be unpacked anywhere, a Debian package, and their checksums.
# usage: make.sh [--version VERSION] [OUT]    OUT: where they go, out/package if it is not given
# The same tree and the same date give the same bytes. The date: SOURCE_DATE_EPOCH, or that of the last commit.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$repository/Directory.Build.props")
[ "${1:-}" != --version ] || { version=$2; shift 2; }
out=${1:-$repository/out/package}
case $version in
[0-9]*) ;;
*) echo "make.sh: '$version' is no version" >&2; exit 2 ;;
esac
command -v dpkg-shlibdeps >/dev/null || { echo 'make.sh: please install dpkg-dev' >&2; exit 1; }

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || stat -c %Y "$repository/Directory.Build.props")}
export SOURCE_DATE_EPOCH
umask 022
stage=$(mktemp -d "${TMPDIR:-/tmp}/overlay-package.XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$out"

# What is installed is what is packaged: nothing is listed here a second time.
make -s -C "$repository" --no-print-directory install-built DESTDIR="$stage" PREFIX=/tree
strip --strip-unneeded "$stage"/tree/lib/overlay/*

name=overlay-$version-linux-x86_64
mkdir "$stage/tarball"
cp -a "$stage/tree" "$stage/tarball/$name"
cp "$here/copyright" "$stage/tarball/$name/COPYING"
tar -C "$stage/tarball" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf "$stage/tar" "$name"
gzip -9n <"$stage/tar" >"$out/$name.tar.gz.new"
mv "$out/$name.tar.gz.new" "$out/$name.tar.gz"

"$here/deb.sh" "$stage/tree" "$version" "$stage/deb" "$out"
(cd "$out" && sha256sum -- overlay*"$version"*.tar.gz overlay*"$version"*.deb >"SHA256SUMS-$version")
ls -l "$out"/overlay*"$version"*
