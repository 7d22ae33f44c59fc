# about: ripgrep, Vim with swap files and recovery, rsync with deltas and partial files, tar, cpio, zip, 7z, xz, zstd, ImageMagick, FFmpeg: each result digested
# packages: ripgrep vim rsync tar cpio zip unzip p7zip-full xz-utils zstd bzip2 imagemagick ffmpeg file patch diffutils
# limit: 600

version() { dpkg-query -W -f '${Package} ${Version}, ' ripgrep vim rsync tar p7zip-full imagemagick ffmpeg | sed 's/, $//'; }

tree() { # tree DIRECTORY: the same each time
    mkdir -p "$1"
    awk -v d="$1" 'BEGIN { srand(5); for (n = 0; n < 300; n++) { dir = d "/d" n % 17; if (n < 17) system("mkdir -p " dir)
        f = dir "/f" n ".txt"; for (l = 0; l < 1 + n % 97; l++) printf "line %d of %d: %f needle%d\n", l, n, rand(), l % 13 >f; close(f) } }'
    awk 'BEGIN { for (i = 0; i < 200000; i++) printf "%07d\n", i * 7919 % 9999991 }' >"$1/big.bin"
    truncate -s 5M "$1/sparse"; printf end >>"$1/sparse"
    : >"$1/empty"; ln -s d1/f1.txt "$1/link"; ln "$1/d2/f2.txt" "$1/hard"
    chmod 640 "$1/d3/f3.txt"; chmod 755 "$1/d4/f4.txt"; touch -d 2001-02-03T04:05:06Z "$1/d5/f5.txt"
}
digest() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16); }
meta() { (cd "$1" && find . ! -type d -printf '%p %y %m %s %n %l\n' | LC_ALL=C sort | sha256sum | cut -c 1-16); }

suite() {
    export LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD/temporary
    mkdir temporary
    tree tree
    value "tree" digest tree
    searching; editing; synchronising; archiving; pictures
}

searching() {
    value "rg -c" bash -c 'rg -c needle7 tree | LC_ALL=C sort | sha256sum'
    value "rg --mmap" bash -c 'rg --mmap --sort path "needle1[01]$" tree | sha256sum'
    value "rg --no-mmap" bash -c 'rg --no-mmap --sort path "needle1[01]$" tree | sha256sum'
    value "rg --mmap one file" bash -c 'rg --mmap -n "0007919" tree/big.bin'
    value "rg -U" bash -c 'rg -U --sort path "needle11\nline 12" tree | sha256sum'
    value "rg -z" bash -c 'gzip -kn tree/d1/f1.txt; rg -zc needle tree/d1/f1.txt.gz; rm tree/d1/f1.txt.gz'
    value "rg --files" bash -c 'rg --files tree | wc -l'
    value "rg --stats" bash -c 'rg --stats -q zzz tree | grep -E "files searched|bytes searched"'
}

vi() { vim -u NONE -N -i NONE -n -es -T dumb "$@" </dev/null; }
editing() {
    mkdir edit
    seq 2000 >edit/a.txt
    check "vim substitutes" vi -c '%s/7/seven/g' -c 'wq' edit/a.txt
    value "vim result" sha256sum edit/a.txt
    check "vim writes a backup" vim -u NONE -N -i NONE -es -T dumb --cmd 'set backup backupcopy=yes' -c 'normal! Goend' -c wq edit/a.txt
    value "vim files" bash -c 'ls -A edit'
    check "vim undo file" vim -u NONE -N -i NONE -es -T dumb --cmd 'set undofile undodir=edit' -c 'normal! ggdd' -c 'w' -c 'normal! Gdd' -c wq edit/a.txt
    check "vim undoes across sessions" vim -u NONE -N -i NONE -es -T dumb --cmd 'set undofile undodir=edit' -c 'undo' -c 'undo' -c wq edit/a.txt
    value "vim undone" bash -c 'head -n 1 edit/a.txt; tail -n 1 edit/a.txt; wc -l <edit/a.txt'
    # Killed with unsaved changes: the swap file has them.
    seq 500 >edit/b.txt
    mkfifo go
    vim -u NONE -N -i NONE -es -T dumb --cmd 'set swapfile updatecount=1 directory=edit' -c '%s/^/saved /' -c 'preserve' -c 'silent !echo ready >go' \
        -c 'sleep 60' edit/b.txt </dev/null >/dev/null 2>&1 & victim=$!
    read -r _ <go
    kill_hard $victim
    rm go
    value "vim swap file" bash -c 'ls -A edit | grep -c swp'
    vim -u NONE -N -i NONE -es -T dumb --cmd 'set directory=edit' -r -c 'w! edit/recovered.txt' -c 'qa!' edit/b.txt </dev/null >&2 2>&1
    value "vim recovers" bash -c 'sha256sum <edit/recovered.txt; wc -l <edit/b.txt'
    value "vim big file" bash -c 'vim -u NONE -N -i NONE -n -es -T dumb -c "normal! GOx" -c wq tree/big.bin </dev/null; sha256sum tree/big.bin'
    value "ed and patch" bash -c 'cp edit/b.txt edit/c.txt; sed -i "s/^3/three/; 100,200d" edit/c.txt; diff -u edit/b.txt edit/c.txt >edit/p; patch -s edit/b.txt edit/p; cmp edit/b.txt edit/c.txt && wc -l <edit/b.txt'
}

synchronising() {
    check "rsync" rsync -aHS tree/ copy/
    value "rsync copy" bash -c "$(declare -f digest meta); digest copy; meta copy"
    seq 100 >>copy/d6/f6.txt; printf X | dd of=copy/big.bin bs=1 seek=500000 conv=notrunc status=none; rm copy/d7/f7.txt
    value "rsync checks" bash -c 'rsync -aHcni --delete tree/ copy/ | LC_ALL=C sort'
    value "rsync delta" bash -c 'rsync -aHc --no-whole-file --stats tree/ copy/ | grep -E "Literal|Matched|transferred:"'
    value "rsync again" digest copy
    check "rsync in place" bash -c 'printf Y | dd of=copy/big.bin bs=1 seek=70000 conv=notrunc status=none; rsync -ac --inplace --no-whole-file tree/ copy/'
    check "rsync append" bash -c 'truncate -s 300000 copy/big.bin; rsync -a --append-verify tree/ copy/'
    check "rsync backup, partial, link-dest" bash -c 'rsync -a --backup --suffix=.old --partial-dir=.p tree/ copy/ && rsync -a --link-dest="$PWD/copy" tree/ copy2/'
    value "rsync link-dest links" bash -c 'stat -c %h copy2/d8/f8.txt'
    value "rsync batch" bash -c 'rsync -a --only-write-batch=batch tree/ copy3/; mkdir -p copy3; rsync -a --read-batch=batch copy3/; sha256sum <copy3/big.bin'
    value "rsync between daemons" daemon
    rm -rf copy2 copy3
}
daemon() { # two ends on one pipe
    printf '#!/bin/sh\nshift\nexec sh -c "$*"\n' >here && chmod 755 here
    rsync -a -e "$PWD/here" tree/ host:"$PWD/copy4/" && digest copy4 && rm -rf copy4
}

archiving() {
    local format options
    for format in gnu pax ustar; do
        # ustar knows no sparse files; pax names them by the process.
        case $format in
            gnu) options=--sparse ;;
            pax) options=--pax-option=exthdr.name=%d/%f,delete=atime,delete=ctime ;;
            *) options=--no-xattrs ;;
        esac
        value "tar $format" bash -c "tar --format=$format --sort=name --mtime=@0 --owner=0 --group=0 $options -cf t.$format.tar tree; tar -df t.$format.tar >/dev/null 2>&1; sha256sum <t.$format.tar"
        check "untar $format" bash -c "mkdir u.$format; tar -xSf t.$format.tar -C u.$format"
        value "untarred $format" bash -c "$(declare -f digest meta); digest u.$format/tree; meta u.$format/tree"
        rm -rf u.$format
    done
    value "tar append, update, delete" bash -c 'cp t.gnu.tar a.tar; tar -rf a.tar edit/a.txt; tar --delete -f a.tar tree/d1; tar -uf a.tar edit/a.txt; tar -tf a.tar | wc -l; tar -Af a.tar t.ustar.tar; tar -tf a.tar | wc -l'
    value "tar multivolume" bash -c 'tar -cML 700 -f m1 -f m2 -f m3 -f m4 -f m5 tree/big.bin tree/d1; tar -xMf m1 -f m2 -f m3 -f m4 -f m5 -O 2>/dev/null | sha256sum'
    value "tar incremental" bash -c 'tar -cg snar -f i0.tar tree; echo more >>tree/d9/f9.txt; tar -cg snar -f i1.tar tree; tar -tf i1.tar | grep -v /$'
    for format in gzip bzip2 xz zstd; do
        value "$format" bash -c "$format -kq t.gnu.tar && $format -tq t.gnu.tar.* && $format -dc t.gnu.tar.* | sha256sum; rm t.gnu.tar.*"
    done
    value "zip" bash -c 'zip -qrX z.zip tree; unzip -tq z.zip; zip -qd z.zip "tree/d1/*"; zip -qu z.zip tree/d2/f2.txt edit/a.txt; unzip -qo z.zip -d z; unzip -l z.zip | tail -n 1; sha256sum <z/tree/big.bin'
    value "zip split" bash -c 'zip -q -s 100k -r s.zip tree/big.bin tree/d1; zip -q -s 0 s.zip --out whole.zip; unzip -p whole.zip tree/big.bin | sha256sum'
    value "7z" bash -c '7z a -bd -mmt=2 s.7z tree >/dev/null; 7z t s.7z | grep -c Ok; 7z x -bd -o7 s.7z >/dev/null; sha256sum <7/tree/big.bin; 7z d s.7z tree/d1 >/dev/null; 7z l s.7z | tail -n 1 | cut -c 30-'
    value "7z volumes" bash -c '7z a -bd -v200k v.7z tree/big.bin >/dev/null; 7z x -so v.7z.001 | sha256sum'
    value "cpio" bash -c 'find tree | LC_ALL=C sort | cpio -oH newc --quiet >c.cpio; mkdir c; cd c; cpio -idm --quiet <../c.cpio; sha256sum <tree/big.bin'
    value "split and cat" bash -c 'split -b 100000 tree/big.bin part.; cat part.* | cmp - tree/big.bin && ls part.* | wc -l'
    rm -rf z 7 c
}

pictures() {
    check "convert" convert -size 800x600 plasma:red-blue -seed 1 p.png
    check "convert gradient" convert -size 1200x900 gradient:red-blue g.ppm
    value "convert formats" bash -c 'for f in png jpg gif tiff bmp webp; do convert g.ppm g.$f; identify -format "%m %wx%h\n" g.$f; done'
    value "convert pixels" bash -c 'convert g.tiff -resize 50% -rotate 90 rgb:- | sha256sum'
    value "convert with pixels on disk" bash -c 'convert -limit memory 1MiB -limit map 1MiB g.ppm -blur 0x2 rgb:- | sha256sum; ls temporary'
    value "convert with mapped pixels" bash -c 'convert -limit memory 1MiB -limit map 1GiB g.ppm -blur 0x2 rgb:- | sha256sum; ls temporary'
    value "mogrify and montage" bash -c 'mogrify -flip g.bmp; montage g.png g.gif -geometry 100x100 m.png; identify -format "%wx%h" m.png'
    check "ffmpeg encodes" ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=25:duration=3 -f lavfi -i sine=duration=3 -c:v mpeg4 -c:a aac -y v.mp4
    value "ffmpeg frames" bash -c 'ffmpeg -v error -i v.mp4 -f framemd5 - | sha256sum'
    check "ffmpeg faststart" ffmpeg -v error -i v.mp4 -c copy -movflags +faststart -y f.mp4
    value "ffprobe" bash -c 'ffprobe -v error -show_entries format=nb_streams,duration,size -of csv f.mp4'
    value "ffmpeg remuxes" bash -c 'ffmpeg -v error -i f.mp4 -c copy -y r.mkv; ffmpeg -v error -i r.mkv -c copy -f segment -segment_time 1 s%d.ts; ffmpeg -v error -i r.mkv -map 0:v -f framemd5 - | tail -n 1'
    value "ffmpeg two passes" bash -c 'ffmpeg -v error -i v.mp4 -c:v mpeg2video -pass 1 -an -f null -; ffmpeg -v error -i v.mp4 -c:v mpeg2video -b:v 500k -pass 2 -an -y two.mpg; ls *.log; ffprobe -v error -show_entries stream=nb_read_packets -count_packets -of csv two.mpg'
    value "ffmpeg wav" bash -c 'ffmpeg -v error -i v.mp4 -y a.wav; ffmpeg -v error -i a.wav -y a.flac; ffmpeg -v error -i a.flac -f md5 -'
}
