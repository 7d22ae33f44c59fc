# about: modes, owners, times, sizes and listings as ls, stat, find, du and test show them
# needs: stat chmod touch find du

case_modes() {
    echo "x $MARKER" >a
    # Not the sticky bit of a file, which Linux ignores: Overlay marks sealed files with it, and hides it.
    for mode in 0644 0600 0755 0444 2755 4755 0000 6777; do
        chmod $mode a
        stat -c '%a %A %f' a
        find a -perm $mode -printf '%m\n'
    done
    chmod u=rw,go=r a; stat -c %A a; chmod -t a; stat -c %A a
    mkdir d; chmod 1777 d; stat -c %A d; chmod 751 d
    chmod --reference=d a; stat -c %A a
    cat a
    umask 077; echo y >b; umask 022; echo z >c; (umask 0; echo w >e)
    ls -l b c e | cut -d ' ' -f 1
}

case_owners() {
    echo "x $MARKER" >a
    if [ "$(id -u)" = 0 ]; then
        chown 1234:2345 a; stat -c '%u %g %a' a
        chmod 4755 a; chown 0:0 a; stat -c '%u %g %a' a
        ln -s a s; chown -h 77 s; stat -c '%u' s a
    fi
    chgrp "$(id -g)" a
    cat a
}

case_times() {
    echo "x $MARKER" >a
    touch -d '2011-11-11 11:11:11.123456789' a
    stat -c '%y' a
    cat a >/dev/null
    stat -c '%y' a
    touch -m -d '2012-12-12' a; touch -a -d '2013-01-01' a
    stat -c '%x %y' a
    touch -r a b; touch -c missing; touch c d
    stat -c '%n %s' b c d
    status ls missing 2>&1
    chmod 600 a; ln a e; mv e f
    stat -c '%y' a f
    echo more >>a
    [ a -nt b ] && echo "writing moved the time"
    touch -d '2014-01-01' a; : >>a; true <a; stat -c '%y' a
}

case_sizes() {
    for size in 0 1 511 512 513 3583 3584 3585 4095 4096 4097 16383 16384 16385 475136 475137 1000000; do
        head -c $size "$INPUTS/text.txt" "$INPUTS/random.bin" -q | head -c $size >s$size
    done
    stat -c '%n %s' s*
    ls -l | awk 'NR > 1 { print $5, $9 }'
    wc -c s*
    find . -type f -size -1024c -printf '%P %s\n' | sort
    find . -size +15k -printf '%P %s\n' | sort
    find . -empty
    find . -size 16384c
    du --apparent-size -b s* | sort -k 2
    du -a --apparent-size -k s* | sort -k 2
    # What cp asks before it copies: a small file has no holes to be looked for, however much it shrinks.
    for size in 4097 6000 16384; do
        printf '%*s' $size "$MARKER" >dense$size
        stat -c '%s %b' dense$size | awk '{ print $1, $2 * 512 >= $1 ? "dense" : "sparse" }'
        cp dense$size copy$size && checksum copy$size
    done
    truncate -s 1M sparse; stat -c '%s %b' sparse | awk '{ print $1, $2 * 512 >= $1 ? "dense" : "sparse" }'
}

case_find() {
    cp -a "$INPUTS/small" small
    cp -p "$INPUTS/text.txt" old; touch -d '2030-01-01' future; chmod 640 old
    find . -newer old -name 'file-00*' | sort
    find . -newer small/file-000 | sort
    find . -newermt '2029-01-01'
    find . -perm 640; find . -perm /0040 -name old; find . -type f -links 1 | wc -l
    find small -size +5k | wc -l
    find small -name 'file-29?' -exec sha256sum {} + | sort -k 2
    find small -name 'file-28*' -delete
    find small -type f -printf '%f %s %m %n %TY\n' | sort | checksum
}

case_truncate() {
    cp "$INPUTS/text.txt" a
    for size in 100000 99999 16384 16383 100 0 5000 70000 1000000 3; do
        truncate -s $size a
        stat -c %s a
        checksum a
    done
    truncate -s +10 a; truncate -s %4096 a; truncate -s '>9000' a; truncate -s '<8000' a
    stat -c %s a
    truncate -r "$INPUTS/random.bin" b; stat -c %s b
    truncate -c -s 10 missing; ls
}

case_fallocate() {
    need fallocate
    cp "$INPUTS/text.txt" a
    fallocate -l 900000 a; stat -c %s a
    fallocate -n -l 2000000 a; stat -c %s a
    fallocate -p -o 16384 -l 65536 a; stat -c %s a; checksum a
    fallocate -p -o 100 -l 20000 a; checksum a
    fallocate -z -o 200000 -l 30000 a; checksum a
    fallocate -l 50000 b; stat -c %s b; checksum b
    fallocate -d a; checksum a
}

case_list() {
    cp -r "$INPUTS/small" small; mkdir -p d/e .hidden; : >.dot; ln -s small link
    ls -A; ls -aF; ls -R | checksum; ls small | head -n 3
    ls -l small | awk 'NR > 1 { print $1, $2, $5, $9 }' | checksum
    ls -S small | head -n 4; ls -d */
    cd "$VOLUME" && ls -a | head -n 3; ls -ld .overlay 2>&1 | sed 's/.*: //'
    [ -e .overlay ] || echo "nothing of that name"
    find . -maxdepth 1 -name '.o*'
}

# A sync or a close writes to the backing file: the times that the program set before stay.
case_times_outlive_sync_and_close() {
    python3 - <<TEXT
import os
f = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
os.write(f, b"$MARKER" * 3000)
os.utime(f, ns=(10**18, 10**18 + 5))
os.fsync(f); print(os.fstat(f).st_mtime_ns)
os.write(f, b"$MARKER" * 30000)
os.utime(f, ns=(10**18, 10**18 + 7))
os.fdatasync(f); print(os.fstat(f).st_mtime_ns)
os.close(f); print(os.stat("a").st_mtime_ns)
TEXT
}
