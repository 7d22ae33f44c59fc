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
    for file in "$SCRATCH"/source/test/{wal,wal2,wal3,wal5,wal7,wal8,walblock,walcksum,walfault2,walhook,walmode,walnoshm,waloverwrite,walpersist,walprotocol,walro,walro2,walrofault,walseh1,walsetlk,walshared,walbak,lock,lock2,lock3,lock4,lock6,mmap1,mmap2,mmap3,mmap4,mmapfault,journal1,journal2,journal3,jrnlmode,jrnlmode2,jrnlmode3,crash,crash3,crash5,io,shared_lock,pager1,pager2,savepoint,savepoint4,savepoint7,incrvacuum,incrvacuum2,backup,backup4,backup_malloc,exclusive,exclusive2,attach,attach2,syscall,sync,sync2,vacuum,vacuum3,vacuum5,vacuum-into,tempdb,tempdb2,memjournal,multiplex,nolock,delete_db,bigfile,bigfile2,e_walauto,e_walckpt,e_walhook,filectrl,filefmt,incrblob,incrblob2,pagesize,persow,pageropt,quota,readonly,shmlock,superlock,unixexcl,uri,uri2,writecrash,zerodamage,corrupt,corrupt2,corrupt3,dbpage,cksumvfs,atomic,atomic2,chunksize,avtrans,busy,cffault,openv2,oserror,rollback,rollback2,snapshot,snapshot2,symlink,symlink2,tkt-5d863f876e,tkt-9f2eb3abac,zeroblob,sort2,sort4,spill}.test; do
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
