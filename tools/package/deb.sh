#!/bin/sh
# deb.sh TREE VERSION STAGE OUT: a Debian package of an installed tree. One package for everything: the shim starts overlay-ctl,
# and overlay-ctl the shim, so neither is of use without the other.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$1 version=$2-1 stage=$3 out=$4
root=$stage/root package=overlay-ctl
documents=$root/usr/share/doc/$package

mkdir -p "$root" "$stage/debian"
cp -a "$tree" "$root/usr"
chmod 644 "$root"/usr/lib/overlay/*.so
mkdir -p "$documents" "$root/usr/share/lintian/overrides" "$root/DEBIAN"
find "$root/usr/share/man" -type f -exec gzip -9n {} +
cp "$here/copyright" "$documents/"
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$(date -uRd "@$SOURCE_DATE_EPOCH")/" "$here/changelog.in" | gzip -9n >"$documents/changelog.Debian.gz"
cp "$here/lintian-overrides" "$root/usr/share/lintian/overrides/$package"

# What the libraries need of each other is in the package itself; the rest is looked up in the database of installed packages.
# libsodium.so has no version in its name, nor has SQLite: they are ours alone, and nobody else's dependency.
printf 'Source: overlay\n\nPackage: %s\nArchitecture: any\n' "$package" >"$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O --ignore-missing-info -l"$root/usr/lib/overlay" \
    -e"$root/usr/bin/overlay-ctl" $(find "$root/usr/lib/overlay" -name '*.so' -printf '-e%p ') \
    -e"$root/usr/lib/overlay/overlay-copy" -e"$root/usr/lib/overlay/overlay-exec" 2>"$stage/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p')
case $depends in
*libc6*) ;;
*) cat "$stage/shlibdeps.log" >&2; echo "deb.sh: the dependencies could not be computed ('$depends')" >&2; exit 1 ;;
esac
sed -e "s/@VERSION@/$version/" -e "s/@DEPENDS@/$depends/" -e "s/@SIZE@/$(du -sk --apparent-size "$root/usr" | cut -f1)/" \
    "$here/control.in" >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
chmod -R u=rwX,go=rX "$root"
find "$root" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$root" "$stage/package.deb" >/dev/null
mv "$stage/package.deb" "$out/${package}_${version}_amd64.deb"
