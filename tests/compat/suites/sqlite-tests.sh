# about: SQLite's own tests (testfixture) of rollback and WAL journals, locks, crashes, mapped files, backup, vacuum, shared caches, temporary files
# packages: tcl tcl-dev gcc make libc6-dev dpkg-dev
# limit: 1500

version() { sed 's/$/ (built from source)/' "$SCRATCH/source/VERSION"; }

prepare() {
    [ -x source/testfixture ] && return
    debian_source sqlite3 . || return
    rm -rf source && mv -T sqlite3-3* source && cd source &&
        ./configure --enable-tempstore=no CFLAGS='-O1 -g' && make -j2 testfixture sqlite3
}

suite() {
    local file
    export SQLITE_TMPDIR=$PWD
    for file in "$SCRATCH"/source/test/{walmode,walpersist,walro,walnoshm,walcksum,walblock,walhook,walshared,lock,lock2,lock3,lock4,mmap1,mmap3,journal2,journal3,jrnlmode2,jrnlmode3,io,sync,sync2,pager2,exclusive,exclusive2,attach,tempdb,tempdb2,memjournal,unixexcl,superlock,syscall,backup,vacuum3,vacuum-into,readonly,snapshot,symlink,symlink2,chunksize,busy,rollback2,uri,uri2,persow,shmlock,filectrl,delete_db,dbpage,cksumvfs,oserror,nolock,zerodamage,wal2}.test; do
        [ -e "$file" ] && one "$(basename "$file" .test)" "$file"
    done
}

# "wal-1.2... Ok", or "! wal-1.2 expected: […]"; a file each, compared by the number of tests and the names of those that failed
one() {
    local status=0 bad
    timeout 240 "$SCRATCH/source/testfixture" "$2" >../log 2>&1 || status=$?
    bad=$(sed -nE 's/^! ([^ ]+) expected.*/\1/p' ../log | sort -u | head -n 20 | paste -sd' ')
    count=$(sed -nE 's/^[0-9]+ errors out of ([0-9]+) tests.*/\1/p' ../log | tail -n 1)
    if [ "$status" = 0 ]; then result "$1" "ok $count"; return; fi
    result "$1" "fail status $status of ${count:-?} tests: $bad"
    { echo "--- $1"; grep -aE -A 2 '^!|rror' ../log | head -n 60; tail -n 5 ../log; } >&2
}
