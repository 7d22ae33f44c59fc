# about: Subversion (FSFS and working copies), Mercurial, CVS, RCS, Fossil, Breezy: commits, branches, merges, kills in the middle, checks
# packages: subversion mercurial cvs rcs fossil brz python3
# limit: 900

version() { dpkg-query -W -f '${Package} ${Version}, ' subversion mercurial cvs rcs fossil brz | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 TZ=UTC USER=root
    mkdir temporary
    subversion; mercurial; old_ones; fossils; breezy
}

digest() { (cd "$1" && find . -name ".${2:-none}" -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16); }

files() { # files DIRECTORY: some, the same each time
    local n
    mkdir -p "$1"/{a,b/c}
    for n in $(seq 40); do seq "$n" "$((n * 30))" >"$1/a/f$n"; done
    seq 60000 >"$1/b/c/large"
    head -c 300000 /dev/zero | tr '\0' 'x' >"$1/b/flat"
}

subversion() {
    local n victim
    check "svnadmin create" svnadmin create s
    files import
    check "svn import" svn import -q -m first import "file://$PWD/s/trunk"
    check "svn mkdir, copy" bash -c 'svn mkdir -q -m b "file://$PWD/s/branches"; svn copy -q -m c "file://$PWD/s/trunk" "file://$PWD/s/branches/one"'
    check "svn checkout" svn checkout -q "file://$PWD/s" w
    value "svn checked out" digest w svn
    value "svn commits" bash -c 'cd w/trunk; for i in $(seq 15); do echo "line $i" >>a/f1; sed -i "${i}s/$/ changed/" a/f2; svn commit -q -m "edit $i"; done; svn update -q; svn info --show-item last-changed-revision; svn log -q ^/ | grep -c ^r'
    value "svn merge" bash -c 'cd w/branches/one; svn update -q; svn merge -q ^/trunk .; svn commit -q -m merged; svn diff ^/trunk ^/branches/one | grep -c ^Index'
    value "svn properties and status" bash -c 'cd w/trunk; svn propset -q svn:executable on a/f3; svn rm -q a/f4; svn mv -q a/f5 a/f55; touch new; svn status; stat -c %a a/f3; svn commit -q -m props; svn revert -qR .; svn cleanup --remove-unversioned'
    value "svn diff and blame" bash -c 'cd w/trunk; svn update -q; svn diff -r 5:10 | sha256sum; svn blame a/f1 | awk "{print \$1}" | sort | uniq -c | sha256sum'
    value "svn conflict" bash -c 'svn checkout -q file://$PWD/s/trunk w2; sed -i 1s/^/mine/ w2/a/f6; sed -i 1s/^/theirs/ w/trunk/a/f6; svn commit -qm theirs w/trunk; svn update -q --accept postpone w2; svn status w2; svn resolve -q --accept mine-full w2/a/f6; svn commit -qm solved w2; head -n 1 w2/a/f6'
    check "svnadmin verify" svnadmin verify -q s
    value "svnadmin dump, load, pack" bash -c 'svnadmin dump -q s >dump; svnadmin create s2; svnadmin load -q s2 <dump; svnadmin pack -q s2; svnlook youngest s2; svnadmin verify -q s2 && svn cat file://$PWD/s2/trunk/a/f2 | sha256sum'
    value "svnadmin hotcopy" bash -c 'svnadmin hotcopy s s3; svnlook youngest s3; svnadmin hotcopy --incremental s s3; svnadmin verify -q s3 && echo fine'
    for n in 1 2 3; do
        (cd w/trunk && for i in $(seq 100); do echo "$n $i" >>b/c/large; svn commit -q -m kill; done) >/dev/null 2>&1 & victim=$!
        sleep 0.$((n * 3))
        kill_hard $victim
        wait_until 20 bash -c '! pgrep -x svn >/dev/null'
        check "svn killed $n: cleanup and update" bash -c 'svn cleanup w; svn update -q w'
        check "svn killed $n: verify" svnadmin verify -q s
    done
    rm -rf s s2 s3 w w2 import
}

mercurial() {
    printf '[ui]\nusername = a <a@x>\n[extensions]\nmq =\nrebase =\nhisteditor = !\nshare =\nlargefiles =\n' >.hgrc
    files m
    cd m || return
    check "hg init" hg init
    check "hg commit" hg commit -q -A -m first -d '0 0'
    value "hg id" hg id -i
    value "hg commits" bash -c 'for i in $(seq 12); do echo "line $i" >>a/f1; hg commit -q -m "edit $i" -d "$i 0"; done; hg id -in'
    value "hg branch and merge" bash -c 'hg update -q 5; sed -i 1s/^/x/ a/f7; hg commit -q -m side -d "50 0"; hg merge -q; hg commit -q -m merged -d "60 0"; hg id -i; hg log -T "{rev} {p1rev} {p2rev}\n" | sha256sum'
    value "hg rebase" bash -c 'hg update -q 3; echo z >a/z; hg commit -q -A -m z -d "70 0"; hg rebase -q -d 8 --keep; hg log -r tip -T "{p1rev} {files}"'
    value "hg mq" bash -c 'hg qnew -m p -d "80 0" p1; echo q >>a/f9; hg qrefresh; hg qpop -q; hg qpush -q; hg qapplied; hg qfinish -a; hg id -n'
    check "hg verify" hg verify -q
    value "hg clone" bash -c 'hg clone -q --pull . ../m2; cd ../m2; hg id -i; hg verify -q; rm -rf ../m3; hg clone -q . ../m3; find ../m3/.hg/store -type f -links +1 | wc -l'
    value "hg push, pull" bash -c 'cd ../m2; echo push >>a/f8; hg commit -q -m push -d "90 0"; hg push -q -f; cd ../m; hg update -q; tail -n 1 a/f8'
    value "hg bundle, archive, export" bash -c 'hg bundle -q -a ../b.hg; hg init ../m4; hg -R ../m4 unbundle -q ../b.hg; hg -R ../m4 id -n -r tip; hg archive -t tar - 2>/dev/null | tar -t | wc -l; hg export 4 | sha256sum'
    value "hg grep, annotate, bisect" bash -c 'hg annotate a/f1 | sha256sum; hg bisect -r; hg bisect -g 2; hg bisect -b 12 -q; hg bisect -c "test \$(wc -l <a/f1) -lt 37" -q; hg log -r "bisect(bad)" -T "{rev} " | head -c 40; hg bisect -r; hg update -qC tip'
    value "hg rollback of a killed commit" bash -c 'for n in 1 2 3; do echo $n >>b/c/large; (hg commit -q -m killed -d "99 0" & p=$!; sleep 0.1$n; kill -9 $p; wait $p) 2>/dev/null; test -e .hg/store/journal && hg recover -q; done; hg verify -q && echo verified'
    value "hg large files" bash -c 'seq 200000 >huge; hg add -q --large huge; hg commit -q -m huge -d "100 0"; hg clone -q . ../m5; sha256sum <../m5/huge'
    cd ..
    rm -rf m m2 m3 m4 m5
}

old_ones() {
    value "rcs" bash -c 'seq 10 >r; ci -q -u -t-text r; for i in 1 2 3; do co -q -l r; echo $i >>r; ci -q -u -m"edit $i" r; done; rlog -h r | grep head; co -q -p1.2 r | wc -l; rcsdiff -q -r1.1 -r1.4 r | wc -l; rcsmerge -q -p -r1.1 -r1.2 r | wc -l'
    value "cvs" bash -c 'export CVSROOT=$PWD/cvs; cvs init; mkdir i; seq 50 >i/x; seq 5 >i/y; (cd i; cvs -Q import -m m mod v r); cvs -Q checkout mod; cd mod; for i in 1 2 3; do echo $i >>x; cvs -Q commit -m $i x; done; cvs -Q tag T; cvs -Q rtag -b B mod; echo 9 >>y; cvs -Q commit -m y; cvs -Q update -r B; cvs status x | grep -io "working revision:[^0-9]*[0-9.]*"; cvs -Q update -A; cvs -q log x | grep "total rev"; wc -l <x; cvs -Q export -r T -d ../e mod; ls ../e | tr "\n" " "'
    rm -rf cvs i mod e r r,v
}

fossils() {
    export FOSSIL_HOME=$PWD FOSSIL_USER=me
    value "fossil" bash -c 'fossil init --date-override 2020-01-01 -A me f.fossil >/dev/null; mkdir fo; cd fo; fossil open -f ../f.fossil >/dev/null; seq 100 >a; seq 5000 >b; fossil add a b | wc -l; for i in 1 2 3 4 5; do echo $i >>a; fossil commit --no-warnings -m "c $i" >/dev/null 2>&1; done; fossil branch new side current >/dev/null; fossil update side >/dev/null; echo s >>b; fossil commit --no-warnings -m s >/dev/null 2>&1; fossil update trunk >/dev/null; fossil merge side | grep -c b; fossil commit --no-warnings -m m >/dev/null 2>&1; wc -l a b | head -n 2; fossil timeline -n 50 -t ci | grep -c "user: me"'
    value "fossil checked" bash -c 'cd fo; fossil rebuild --vacuum --compress ../f.fossil >/dev/null; fossil test-integrity ../f.fossil | tail -n 1; fossil sqlite3 -R ../f.fossil "pragma integrity_check" 2>&1; fossil all list 2>/dev/null | wc -l'
    value "fossil clone and sync" bash -c 'fossil clone -A me f.fossil g.fossil >/dev/null; mkdir fg; cd fg; fossil open ../g.fossil >/dev/null; echo g >>a; fossil commit --no-warnings -m g >/dev/null 2>&1; cd ../fo; fossil update >/dev/null; tail -n 1 a'
    rm -rf fo fg ./*.fossil
}

breezy() {
    export BRZ_EMAIL='a <a@x>'
    value "brz" bash -c 'brz init -q z; cd z; seq 100 >a; mkdir d; seq 9000 >d/b; brz add -q; for i in 1 2 3 4; do echo $i >>a; brz commit -q -m $i; done; brz revno; brz branch -q . ../z2; cd ../z2; echo x >>d/b; brz commit -q -m x; cd ../z; echo y >>a; brz commit -q -m y; brz merge -q ../z2; brz commit -q -m merged; brz pack -q; brz check 2>&1 | grep -c "checked repository"; brz export ../ze; tail -n 1 ../ze/d/b; brz shelve -q --all; brz status | wc -l'
    rm -rf z z2 ze
}
