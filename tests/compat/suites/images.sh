# about: qemu-img and qemu-io (raw, qcow2, vmdk, with backing files, caches, native AIO), ext4 and FAT images (mke2fs, e2fsck, debugfs, mtools), squashfs, ISO images, dpkg and apt with their databases in the directory
# packages: qemu-utils e2fsprogs dosfstools mtools squashfs-tools genisoimage xorriso dpkg dpkg-dev apt apt-utils fakeroot zstd
# limit: 900

version() { dpkg-query -W -f '${Package} ${Version}, ' qemu-utils e2fsprogs mtools squashfs-tools xorriso dpkg apt | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 TZ=UTC SOURCE_DATE_EPOCH=1600000000
    mkdir temporary
    awk 'BEGIN { srand(9); for (i = 0; i < 200000; i++) printf "%d %d\n", i, rand() * 1e6 }' >data
    mkdir tree && split -n 20 -d data tree/f && ln -s f00 tree/link && mkdir tree/d && cp data tree/d/ && find tree -exec touch -h -d @1600000000 {} +
    disks; file_systems; archives; packages
}

disks() {
    local format cache
    for format in qcow2 raw vmdk vdi qed; do
        value "qemu-img $format" bash -c "truncate -s 20M src; dd if=data of=src bs=64k seek=7 conv=notrunc status=none; qemu-img convert -f raw -O $format src d.$format && qemu-img compare -f raw -F $format src d.$format; qemu-img check d.$format 2>/dev/null | grep -c 'No errors'; qemu-img convert -O raw d.$format back && cmp src back && echo same; qemu-img info d.$format | grep virtual; qemu-img map --output=json -f raw back | grep -c zero"
    done
    for cache in writeback none writethrough unsafe directsync; do
        value "qemu-io, cache $cache" bash -c "qemu-img create -q -f qcow2 io.$cache 40M; qemu-io -t $cache -c 'write -P 7 0 1M' -c 'write -P 9 5M 64k' -c 'write -z 512k 256k' -c 'discard 5M 4k' -c 'aio_write -P 3 8M 2M' -c 'aio_write -P 4 20M 512' -c aio_flush -c flush -c 'read -P 7 0 512k' -c 'read -P 0 512k 256k' -c 'read -P 3 8M 2M' -c 'read -P 4 20M 512' -c 'writev -P 5 30M 4k 8k' -c 'readv -P 5 30M 12k' io.$cache 2>&1 | grep -cE 'wrote|read [0-9]+/'; qemu-img check -q io.$cache && echo clean"
    done
    value "qemu-io, native AIO" bash -c "qemu-img create -q -f raw aio 10M; qemu-io -f raw -t none -i native -c 'aio_write -P 3 0 1M' -c 'aio_write -P 4 4M 64k' -c aio_flush -c 'read -P 3 0 1M' -c 'read -P 4 4M 64k' aio 2>&1 | grep -cE 'wrote|read [0-9]+/'"
    value "qemu-io, threads" bash -c "qemu-io -f raw -i threads -c 'aio_write -P 6 1M 1M' -c aio_flush -c 'read -P 6 1M 1M' aio 2>&1 | grep -cE 'wrote|read [0-9]+/'"
    value "qcow2 snapshots, backing files" bash -c "qemu-img create -q -f qcow2 -b d.qcow2 -F qcow2 top; qemu-io -c 'write -P 1 1M 300k' top >/dev/null; qemu-img snapshot -c one top; qemu-io -c 'write -P 2 1M 300k' top >/dev/null; qemu-img snapshot -a one top; qemu-io -c 'read -P 1 1M 300k' top | grep -c 'read 30'; qemu-img commit -q top; qemu-io -c 'read -P 1 1M 300k' d.qcow2 | grep -c 'read 30'; qemu-img rebase -q -f qcow2 -b '' -F qcow2 top && qemu-img check -q top && echo clean; qemu-img resize -q top +10M; qemu-img convert -c -O qcow2 top small; qemu-img compare top small; qemu-img bench -c 300 -w -t none top | grep -c completed; qemu-img dd -O raw if=small of=ddout bs=1M count=5; sha256sum <ddout; qemu-img create -q -f qcow2 -o preallocation=full,encrypt.format=luks,encrypt.key-secret=s --object secret,id=s,data=x lu 5M && qemu-img check -q --object secret,id=s,data=x --image-opts driver=qcow2,file.filename=lu,encrypt.key-secret=s && echo luks"
    value "qcow2: locked by another" bash -c "(qemu-io -c 'sleep 1500' top >/dev/null &) ; sleep 0.5; qemu-io -c 'read 0 512' top 2>&1 | grep -c 'lock'; sleep 1.5"
    value "qcow2: killed" bash -c "for n in 1 2 3; do (for i in \$(seq 200); do echo \"write -P \$n \$((i * 64))k 64k\"; done; echo flush) | qemu-io -t writeback top >/dev/null 2>&1 & sleep 0.2\$n; kill -9 \$!; wait \$! 2>/dev/null; sleep 0.3; qemu-img check -q -r leaks top >/dev/null 2>&1; qemu-img check -q top && echo clean; done"
}

file_systems() {
    local kind
    for kind in ext2 ext3 ext4; do
        value "mke2fs $kind" bash -c "truncate -s 30M e.$kind; mke2fs -q -F -t $kind -d tree -U 11111111-1111-1111-1111-111111111111 -E hash_seed=11111111-1111-1111-1111-111111111111 e.$kind 2>&1; e2fsck -fn e.$kind >/dev/null 2>&1; echo \$?; debugfs -R 'dump /d/data out' e.$kind 2>/dev/null; cmp out data && echo same; (echo 'rm /f01'; echo 'mkdir /new'; echo 'write data /new/x'; echo 'ln /f02 /new/y'; echo 'symlink /new/z f03') | debugfs -w e.$kind >/dev/null 2>&1; e2fsck -fyD e.$kind >/dev/null 2>&1; debugfs -R 'ls -p /new' e.$kind 2>/dev/null | wc -l; resize2fs -f e.$kind 60M >/dev/null 2>&1; resize2fs -Mf e.$kind >/dev/null 2>&1; e2fsck -fn e.$kind >/dev/null 2>&1; echo \$?; tune2fs -L name e.$kind >/dev/null; dumpe2fs -h e.$kind 2>/dev/null | grep volume.name; e2image -r e.$kind ei 2>/dev/null; debugfs -R 'cat /f05' e.$kind 2>/dev/null | sha256sum"
    done
    value "FAT and mtools" bash -c 'truncate -s 20M fat; mkfs.fat -i 12345678 -F 16 fat >/dev/null; mcopy -i fat -s tree ::/ 2>/dev/null; mcopy -i fat ::/tree/d/data out2 && cmp out2 data && echo same; mmd -i fat ::/x; mmove -i fat ::/tree/f03 ::/x; mdel -i fat ::/tree/f04; mren -i fat ::/x/f03 ::/x/g; mdir -b -/ -i fat :: | sort | sha256sum; fsck.fat -n fat >/dev/null; echo $?; minfo -i fat :: | grep -c .; mlabel -i fat ::NAME; mtype -i fat ::/tree/f00 | sha256sum'
    value "loop-less partitions" bash -c 'truncate -s 50M disk; printf "label: gpt\nlabel-id: 11111111-1111-1111-1111-111111111111\nsize=10M, uuid=11111111-1111-1111-1111-111111111112\nsize=20M, type=uefi, uuid=11111111-1111-1111-1111-111111111113\n" | sfdisk -q disk; sfdisk -d disk | tail -n 2; sfdisk -V -q disk && echo fine; dd if=fat of=disk bs=1M seek=11 conv=notrunc status=none; mdir -b -i disk@@11M ::/tree | wc -l; blkid -p -O 11534336 disk 2>/dev/null | grep -o "TYPE=\"vfat\""; mkswap -U 11111111-1111-1111-1111-111111111114 sw 2>/dev/null; truncate -s 5M sw; mkswap sw >/dev/null 2>&1; blkid -p -s TYPE -o value sw; wipefs -a sw >/dev/null; blkid -p sw; echo $?'
}

archives() {
    local kind
    for kind in gzip xz zstd lz4; do
        value "squashfs $kind" bash -c "mksquashfs tree q.$kind -comp $kind -quiet -no-progress -processors 2 -all-root && unsquashfs -q -n -d u.$kind q.$kind && diff -r tree u.$kind && sha256sum <q.$kind; mksquashfs data q.$kind -quiet -no-progress >/dev/null && unsquashfs -l q.$kind | wc -l; unsquashfs -cat q.$kind data | cmp - data; rm -rf u.$kind"
    done
    value "ISO" bash -c 'genisoimage -quiet -R -J -o i.iso tree 2>/dev/null; isoinfo -i i.iso -R -x /d/data | cmp - data && echo same; isoinfo -l -i i.iso | grep -c F0; xorriso -indev i.iso -outdev j.iso -map data /added -rm /f02 -- -commit 2>/dev/null; xorriso -indev j.iso -find / -type f 2>/dev/null | sort | wc -l; xorriso -osirrox on -indev j.iso -extract / xi 2>/dev/null; cmp xi/added data && echo extracted; xorriso -as mkisofs -quiet -o k.iso -V V tree 2>/dev/null; xorriso -dev k.iso -map data /grown -commit 2>/dev/null; isoinfo -i k.iso -R -f 2>/dev/null | wc -l; chmod -R u+w xi'
}

packages() {
    value "dpkg-deb" bash -c 'mkdir -p p/DEBIAN p/usr/share/x p/etc; printf "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: d\n" >p/DEBIAN/control; echo /etc/x.conf >p/DEBIAN/conffiles; printf "#!/bin/sh\necho \$1 >>\$DPKG_ROOT/ran\n" >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst; echo conf >p/etc/x.conf; cp data p/usr/share/x/; for c in xz gzip zstd none; do dpkg-deb -Z$c --root-owner-group -b p x_$c.deb >/dev/null; dpkg-deb -x x_$c.deb px; cmp px/usr/share/x/data data && echo same; done; dpkg-deb -c x_xz.deb | wc -l; sed -i s/1/2/ p/DEBIAN/control; echo two >>p/etc/x.conf; dpkg-deb -b p x2.deb >/dev/null'
    value "dpkg in a root" bash -c 'mkdir -p r/var/lib/dpkg/{info,updates,triggers} r/var/log r/bin; : >r/var/lib/dpkg/status; d="dpkg --root=$PWD/r --force-not-root --force-script-chrootless --force-depends --log=$PWD/r/log"; $d -i x_xz.deb >/dev/null; $d -l x | tail -n 1 | cut -c 1-3; cat r/ran; echo changed >>r/etc/x.conf; $d --force-confold -i x2.deb >/dev/null 2>&1; cat r/etc/x.conf; ls r/etc; $d -V x | cut -c 1-9; $d -S $PWD/usr/share/x/data 2>/dev/null; $d -L x | wc -l; $d --set-selections <<<"x hold"; $d -r x >/dev/null 2>&1; $d -P x >/dev/null 2>&1; find r -name "x*" | wc -l; ls r/var/lib/dpkg | tr "\n" " "; $d --audit | wc -l'
    value "dpkg killed" bash -c 'd="dpkg --root=$PWD/r --force-not-root --force-script-chrootless --log=$PWD/r/log"; for n in 1 2 3; do $d -i x_none.deb >/dev/null 2>&1 & sleep 0.0$n; kill -9 $!; wait $! 2>/dev/null; $d --configure -a >/dev/null 2>&1; $d -i x2.deb >/dev/null 2>&1; $d -l x | tail -n 1 | cut -c 1-3; done; cmp r/usr/share/x/data data && echo whole'
    value "apt with a file archive" bash -c 'mkdir -p ar a/{etc/apt/apt.conf.d,var/lib/apt/lists/partial,var/cache/apt/archives/partial,var/lib/dpkg,log}; cp x2.deb x_xz.deb ar/; (cd ar; apt-ftparchive packages . >Packages; apt-ftparchive release . >Release; gzip -k Packages); : >a/var/lib/dpkg/status; echo "deb [trusted=yes] file:$PWD/ar ./" >a/etc/apt/sources.list; o="-o Dir=$PWD/a -o Dir::State::status=$PWD/a/var/lib/dpkg/status -o APT::Sandbox::User=root -o Dir::Log=$PWD/a/log -o APT::Architecture=amd64"; apt-get $o -q update 2>&1 | grep -c "^Get"; apt-cache $o show x | grep -c ^Version; apt-cache $o policy x | grep Candidate; apt-cache $o gencaches; ls a/var/cache/apt | tr "\n" " "; apt-get $o download -qq x 2>&1; ls ./*.deb | wc -l; apt-get $o -qq --print-uris install x | cut -d" " -f2; apt-get $o -qq -d install x 2>&1 | wc -l; apt-get $o -qq check; apt-cache $o dumpavail | wc -l; apt-get $o -qq clean; ls a/var/cache/apt/archives | wc -l'
    value "apt with this system's lists" bash -c 'mkdir -p b; o="-o Dir::Cache=$PWD/b -o Dir::Cache::pkgcache=$PWD/b/p.bin -o Dir::Cache::srcpkgcache=$PWD/b/s.bin -o APT::Sandbox::User=root"; mkdir -p b/archives/partial; apt-cache $o gencaches >/dev/null; apt-cache $o pkgnames | wc -l; apt-cache $o depends bash | sha256sum; apt-cache $o search "^bash$"; apt-cache $o stats | head -n 3 | sha256sum'
}
