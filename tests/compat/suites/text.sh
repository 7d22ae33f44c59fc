# about: coreutils and their like with files, temporary files, pipes and processes: sort, split, shuf, csplit, tee, dd, cp, install, parallel, xargs, find, inotifywait, entr, logrotate, flock, awk, m4
# packages: coreutils parallel findutils inotify-tools entr logrotate util-linux gawk m4 moreutils pv sharutils bsdextrautils acl attr
# limit: 600

version() { dpkg-query -W -f '${Package} ${Version}, ' coreutils parallel findutils inotify-tools entr logrotate gawk | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C
    mkdir temporary
    awk 'BEGIN { srand(3); for (i = 0; i < 300000; i++) printf "%d %s\n", rand() * 1000000, substr("abcdefghijklmnopqrstuvwxyz", 1 + i % 20) }' >big
    sorting; copying; many; watching; writing
}

sorting() {
    value "sort with files" bash -c 'sort -S 1M -n -k1,1 -T temporary big | sha256sum; ls temporary | wc -l'
    value "sort in parallel, compressed" bash -c 'sort -S 1M --parallel=4 --compress-program=gzip big | sha256sum'
    value "sort onto itself" bash -c 'cp big b; sort -o b -u -S 2M b; sha256sum b; sort -c b && echo sorted; sort -m b big | wc -l'
    value "sort with many files" bash -c 'split -l 3000 big part.; sort -S 1M --batch-size=5 part.* | sha256sum; for p in part.*; do sort -o $p $p; done; sort -m part.* | sha256sum'
    value "uniq, comm, join" bash -c 'cut -d" " -f1 big | sort | uniq -c | sort -rn | head -n 1000 | sha256sum; sort -k1,1 part.aa >j1; sort -k1,1 part.ab >j2; join j1 j2 | wc -l; comm -12 part.aa part.ab | wc -l'
    value "shuf, tac, rev, nl" bash -c 'shuf --random-source=big big -o sh; sort sh | cmp - <(sort big) && echo all; tac big | tac | cmp - big && echo twice; rev sh | rev | cmp - sh; nl -ba big | tail -n 1; shuf --random-source=sh -n 3 big'
    value "split and csplit" bash -c 'split -n l/7 -d big s.; cat s.* | cmp - big && ls s.* | wc -l; split -n r/5 big r.; wc -l <r.aa; split -b 1M --filter="gzip >\$FILE.gz" big z.; zcat z.*.gz | cmp - big && echo filter; csplit -s -n 3 big /^5000/ "{20}"; ls xx* | wc -l; rm -f s.* r.* z.* xx*'
    value "head, tail, cut, fold, paste, tr, expand" bash -c 'head -c -100 big | tail -c 1000 | sha256sum; tail -n +299990 big; fold -w 7 big | sha256sum; paste -d, big sh | sha256sum; tr a-m A-M <big | sha256sum; pr -3 -l 50 big | tail -n +10 | wc -l'
    value "digests" bash -c 'sha512sum big part.a* >sums; md5sum -b big; sha512sum -c --quiet sums && echo fine; b2sum big; cksum big; echo x >>part.ab; sha512sum -c --quiet sums 2>/dev/null'
    rm -f part.*
}

copying() {
    value "cp" bash -c 'for o in "" --reflink=auto --sparse=always --sparse=never -a --attributes-only; do cp $o big c; sha256sum <c; rm c; done; cp -l big l; cp -s $PWD/big y; cp -b big l 2>&1 | sed "s/.*are/are/"; cp --backup=numbered sh l; ls l* | tr "\n" " "; cp -u big y 2>&1 | sed "s/.*are/are/"; cp --reflink=always big c2 2>/dev/null || echo refused'
    value "cp of holes" bash -c 'truncate -s 3M h; printf x | dd of=h bs=1 seek=2000000 conv=notrunc status=none; cp h h2; cmp h h2; cp --sparse=always h h3; cmp h h3; stat -c %s h2 h3; tar -cSf h.tar h h2; tar -xOf h.tar h2 | cmp - h && echo same'
    value "mv, install, ln" bash -c 'cp big m1; mv m1 m2; mv -b m2 sh2; install -D -m 640 -o root big i/j/k; stat -c "%a %s" i/j/k; install -C big i/j/k; install -s /bin/true i/true; i/true && echo runs; ln i/j/k hard; ln -sf hard soft; mv -T soft soft2; readlink soft2; mv -n big hard; ls big; mv /etc/hostname.none . 2>/dev/null || echo none'
    value "across the border" bash -c 'd=$SCRATCH/border; rm -rf $d; mkdir $d; cp big $d; mv sh2 $d/; cmp big $d/big; mv $d/big back; cmp big back && ls $d; mv $d/sh2 .; cp -a i $d/; diff -r i $d/i && echo same; mv $d/i i2'
    value "dd" bash -c 'dd if=big of=d1 bs=1000 count=300 status=none; dd if=big of=d1 bs=1000 skip=300 seek=300 conv=notrunc,fsync status=none; cmp d1 big && echo whole; dd if=big of=d2 bs=4096 oflag=direct count=64 status=none 2>&1; dd if=big of=d3 bs=64k conv=sparse,fdatasync iflag=fullblock status=none; cmp d3 big; dd if=big bs=3 count=5 oflag=append conv=notrunc of=d2 status=none; tail -c 15 d2; dd if=d2 of=d4 bs=1M conv=swab,ucase status=none; sha256sum <d4; dd if=big of=d5 iflag=direct bs=4k status=none; cmp d5 big; dd if=/dev/null of=d5 seek=100 bs=1 status=none; stat -c %s d5'
    value "shred, truncate, fallocate" bash -c 'cp big w; shred -n 2 -z w; cmp -n 100000 w /dev/zero && echo zeros; shred -u w; ls w 2>/dev/null; truncate -s +5 d1; truncate -s %4096 d1; truncate -r big d1; cmp d1 big; truncate -s \<100 d1; stat -c %s d1; fallocate -l 1M f; stat -c %s f; fallocate -p -o 4096 -l 8192 f; fallocate -z -o 100 -l 10000 d3; fallocate -d d3; sha256sum <d3; fallocate -n -l 9M f; stat -c %s f'
    value "attributes and lists" bash -c 'setfattr -n user.a -v b big; getfattr --only-values -n user.a big; setfacl -m u:nobody:r big; getfacl -cp big | grep nobody; cp -a big withx; getfattr -d withx | tail -n 2; cp --preserve=xattr big x2; getfattr --only-values -n user.a x2; touch -d @1000000000 big; stat -c %Y big; touch -r big x2; stat -c "%Y %a" x2; chmod u=rw,go= x2; chmod +x x2; stat -c %A x2; test -x x2 && test x2 -ot d1 && echo older'
    value "tee, cat, pv, sponge, buffer" bash -c 'tee t1 t2 <big | tee -a t0 >/dev/null; cat t0 >>t1; wc -c t1 t2; cat t1 t2 >t3; pv -q t3 | cmp - <(cat t1 t2); sort t2 | sponge t2; sort -c t2 && echo sorted; cat big >>t2; cat t2 >t2 2>&1; cat <t1 >&2 | cat; cat t1 | cat >&1- | wc -c; head -n 3 big | cat -A - | tee >(wc -c >cnt) ; sleep 0.3; cat cnt'
}

many() {
    value "parallel" bash -c 'seq 60 | parallel -j4 -k "echo {} >p{}; cat p{}" | paste -sd" "; parallel -j3 --joblog jl --results res echo ::: a b c ::: 1 2 >/dev/null; ls -R res | wc -l; wc -l <jl; cat big | parallel --pipe -k --block 500k wc -l; parallel --pipepart -a big --block 300k -k wc -c; parallel --tmpdir temporary -k --files echo ::: x y | xargs cat; rm p[0-9]*' 2>/dev/null
    value "xargs -P" bash -c 'seq 200 | xargs -P4 -n5 sh -c "echo \$* >>all" x; tr " " "\n" <all | sort -n | cmp - <(seq 200) && wc -l <all; find . -name "t[0-9]" -print0 | xargs -0 -P3 -n1 sh -c "wc -c <\$0" | sort'
    value "many appenders" bash -c 'for p in 1 2 3 4 5 6; do (for i in $(seq 200); do echo "$p line $i of the process"; done >>ap) & done; wait; wc -l <ap; sort -k1n -k3n ap | sha256sum'
    value "many on one offset" bash -c '(for p in 1 2 3 4; do seq $((p * 1000)) $((p * 1000 + 300)) & done; wait) >one; sort -n one | sha256sum'
    value "find" bash -c 'mkdir -p fd/a/b/c; for i in $(seq 50); do seq $i $((i * 99)) >fd/a/$i; ln -s ../$i fd/a/b/$i; done; find fd -size +1k -name "*[05]" -newer /etc/passwd -printf "%p %s\n" | sort | sha256sum; find fd -xtype l | wc -l; find fd -type f -exec grep -l "^77$" {} + | wc -l; find fd -empty; find fd -samefile fd/a/7; find fd -perm -u=w -links 1 -type f -delete; find fd | wc -l'
    value "du and ls" bash -c 'du -ab --apparent-size i | sort -k2 | sha256sum; ls -l big hard | awk "{ print \$1, \$2, \$5 }"; ls -S b big t1 t2 | head -n 1; stat -c "%s %F" big; wc big; du -b big | cut -f1'
    value "flock" bash -c 'echo 0 >n; for i in $(seq 40); do flock lk sh -c "read x <n; echo \$((x + 1)) >n" & done; wait; cat n; (flock -n 9 && flock -n lk true || echo busy) 9>lk; flock -s lk flock -s -n lk echo shared'
    value "lockfile and ln races" bash -c 'for i in $(seq 30); do (set -C; : >race) 2>/dev/null && echo won & done | wc -l; for i in $(seq 20); do mkdir raced 2>/dev/null && echo won & done | wc -l; wait'
    value "mktemp, named pipes, process substitution" bash -c 'f=$(mktemp); echo x >$f; d=$(mktemp -d -p .); mv $f $d; cat $d/*; mkfifo q; (cat <q >q.out) & cat big >q; wait; cmp q.out big; diff <(sort big) <(sort q.out) && echo none; rm q'
    value "here documents" bash -c 'x=$(head -c 200000 big); cat <<<"$x" | sha256sum; bash <<"Q"
cat <<W >hd
$0 text
W
cat hd
Q
while read -r a b; do echo "$b"; done <j1 | sort -u | wc -l; exec 5<>rw; echo first >&5; echo second >&5; exec 6<rw; read -r l <&6; echo $l; mapfile -t m <big; echo ${#m[@]}'
}

watching() {
    value "inotifywait" bash -c 'mkdir wa; inotifywait -qmr --format "%e %f" -e create,moved_to,delete,close_write wa >ev & w=$!; sleep 0.7; echo x >wa/a; mv wa/a wa/b; mkdir wa/d; rm wa/b; sleep 0.7; kill $w; grep -vE "\.overlay" ev | sort -u | tr "\n" ";"'
    value "tail -f" bash -c ': >tf; timeout 4 tail -n +1 -F tf >tf.out 2>/dev/null & for i in 1 2 3 4 5; do echo $i >>tf; sleep 0.2; done; mv tf tf.1; echo 6 >tf; wait; paste -sd" " tf.out'
    value "tail --pid, several" bash -c 'seq 10 >ta; seq 3 >tb; sleep 1 & tail -q -n 1 -f --pid=$! ta tb | paste -sd" "'
    value "entr" bash -c 'echo 1 >en; (ls en | timeout 4 entr -n -p sh -c "cat en >>en.out" >/dev/null 2>&1) & sleep 1.2; echo 2 >en; sleep 1.2; wait; grep -c 2 en.out'
    value "logrotate" bash -c 'mkdir lr; for i in 1 2 3 4; do seq $((i * 1000)) >>lr/a.log; seq $i >>lr/b.log; printf "%s/lr/a.log {\nrotate 2\ncompress\ndelaycompress\ncreate 600 root root\nsize 1\n}\n%s/lr/b.log {\nrotate 3\ncopytruncate\nsize 1\n}\n" $PWD $PWD >lr.conf; chmod 644 lr.conf; chmod 755 lr . ; logrotate -s lr.state lr.conf; done; ls lr | tr "\n" " "; zcat lr/a.log.2.gz | wc -l; wc -l <lr/b.log.1; stat -c "%a %s" lr/a.log'
}

writing() {
    value "gawk" bash -c 'gawk "{ print > (\"aw.\" \$1 % 7) } END { for (i = 0; i < 7; i++) close(\"aw.\" i); while ((getline l < \"aw.3\") > 0) n++; print n; print \"x\" | \"sort >so\"; close(\"sort >so\"); getline l < \"so\"; print l }" big; cat aw.* | wc -c; gawk -i inplace "NR % 2" aw.1; wc -l aw.1'
    value "m4, sharutils, column, look" bash -c 'echo "define(a, b)a include(j1)" | m4 | wc -c; uuencode big u >uu; uudecode -o ud uu; cmp ud big && echo decoded; column -t j1 | wc -c; sort big >lk2; look 99999 lk2 | wc -l; hexdump -C big | tail -n 1; od -c big | sha256sum; xxd big 2>/dev/null | xxd -r 2>/dev/null | cmp - big; strings -n 15 big | wc -l; base64 big | base64 -d | cmp - big'
    value "limits" bash -c '(ulimit -f 65536; head -c 3000000 big >lim; wc -c <lim); (ulimit -n 20; sort -S 1M --batch-size=5 big | sha256sum); (ulimit -v 4000000; wc -l big)'
    value "umask and times" bash -c '(umask 077; echo x >um); stat -c %a um; sleep 1.1; touch -a um; find um -newermt "1 minute ago" | wc -l; cp -p um um2; test ! um -nt um2 && test ! um2 -nt um && echo same; [ um -ef um2 ] || echo other'
    value "restored after deletion" bash -c 'exec 8<>big; rm -f big; wc -l </proc/self/fd/8; cp /proc/self/fd/8 restored; cmp restored hard 2>&1 | head -n 1; sha256sum </dev/fd/8'
}
