# about: Borg, Duplicity, rdiff-backup, rsnapshot, Unison, Restic and Rclone (Go): several generations, kills in the middle, checks, restored trees
# packages: borgbackup duplicity rdiff-backup rsnapshot unison restic rclone rsync gnupg python3
# limit: 900

version() { dpkg-query -W -f '${Package} ${Version}, ' borgbackup duplicity rdiff-backup rsnapshot unison restic rclone | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 PASSPHRASE=x
    mkdir temporary
    tree tree
    borg_suite; duplicity_suite; rdiff; rsnapshot_suite; unison_suite; with_go
}

tree() { # tree DIRECTORY: the same each time
    local n
    mkdir -p "$1"/{a,b/c,empty}
    for n in $(seq 60); do seq "$n" $((n * 50)) >"$1/a/f$n"; done
    awk 'BEGIN { srand(2); for (i = 0; i < 150000; i++) printf "%d\n", rand() * 1e9 }' >"$1/b/large"
    truncate -s 3M "$1/b/sparse"; printf end >>"$1/b/sparse"
    ln "$1/a/f1" "$1/b/hard"; ln -s ../a/f2 "$1/b/soft"; : >"$1/none"; chmod 600 "$1/a/f3"; mkfifo "$1/b/pipe"
    setfattr -n user.x -v y "$1/a/f4" 2>/dev/null
    find "$1" -exec touch -h -d 2020-02-02T02:02:02Z {} +
}
more() { seq 5 >>tree/a/f5; rm -f tree/a/f6; printf X | dd of=tree/b/large bs=1 seek=70000 conv=notrunc status=none; echo new >tree/b/c/new; mv tree/a/f7 tree/a/g7 2>/dev/null || true; }
digest() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16; find . ! -type d -printf '%P %y %m %s %n %l\n' | LC_ALL=C sort | sha256sum | cut -c 1-16); }

borg_suite() {
    local n victim
    export BORG_BASE_DIR=$PWD BORG_PASSPHRASE=x BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
    check "borg init" borg init -e repokey borg
    check "borg create" borg create --compression zstd,3 --chunker-params 10,16,13,4095 borg::one tree
    value "borg list" bash -c 'borg list --format "{mode} {size} {path}{NL}" borg::one | LC_ALL=C sort | sha256sum'
    more
    check "borg create again" borg create --chunker-params 10,16,13,4095 borg::two tree
    value "borg diff" bash -c 'borg diff borg::one two | sed "s/.* //" | LC_ALL=C sort | sha256sum; borg info --json borg::two | python3 -c "import json,sys; print(json.load(sys.stdin)[\"archives\"][0][\"stats\"][\"nfiles\"])"'
    value "borg extract" bash -c "$(declare -f digest); mkdir x; cd x; borg extract --sparse ../borg::one; digest tree; rm -rf tree; borg extract ../borg::two; digest tree; digest ../tree"
    for n in 1 2 3; do
        head -c 6000000 /dev/urandom >tree/b/random
        borg create borg::killed$n tree >/dev/null 2>&1 & victim=$!
        sleep 1.$n
        kill_hard $victim
        check "borg after kill $n" bash -c 'borg break-lock borg; borg check borg'
    done
    rm tree/b/random
    check "borg recreate, prune, compact" bash -c 'borg recreate -e "*/a/f9" borg::one && borg prune --keep-last 1 borg && borg compact --threshold 1 borg && borg check --verify-data borg'
    value "borg export-tar" bash -c 'n=$(borg list --short borg | tail -n 1); borg export-tar borg::$n - | tar -x -O | wc -c; borg delete borg::$n; borg check --repair borg 2>&1 | grep -c -i error; true'
    rm -rf borg x
}

duplicity_suite() {
    local urls=file://$PWD/dup
    check "duplicity full" duplicity full --archive-dir "$PWD/dar" tree "$urls"
    echo second >>tree/a/f10
    check "duplicity incremental" duplicity incremental --archive-dir "$PWD/dar" --volsize 1 tree "$urls"
    check "duplicity verify" duplicity verify --compare-data --archive-dir "$PWD/dar" "$urls" tree
    value "duplicity restored" bash -c "$(declare -f digest); duplicity restore --archive-dir '$PWD/dar2' $urls dr >/dev/null; digest dr; digest tree"
    value "duplicity status" bash -c "duplicity list-current-files --archive-dir '$PWD/dar' $urls | wc -l; duplicity collection-status --archive-dir '$PWD/dar' $urls | grep -c -E 'Full|Incremental'"
    gpgconf --kill all
    rm -rf dup dar dar2 dr
}

rdiff() {
    check "rdiff-backup" rdiff-backup --current-time 1600000000 tree rd
    more; echo third >>tree/a/f11
    check "rdiff-backup again" rdiff-backup --current-time 1600100000 tree rd
    value "rdiff-backup restored" bash -c "$(declare -f digest); rdiff-backup -r 1600000000 rd r0; digest r0; rdiff-backup -r now rd r1; digest r1; rdiff-backup --list-increments rd | grep -c increments; rdiff-backup --verify rd >/dev/null && echo verified; rdiff-backup --list-changed-since 1600000000 rd | sha256sum"
    rm -rf rd r0 r1
}

rsnapshot_suite() {
    mkdir -p rs
    printf 'config_version\t1.2\nsnapshot_root\t%s/rs/\ncmd_cp\t/bin/cp\ncmd_rm\t/bin/rm\ncmd_rsync\t/usr/bin/rsync\nretain\talpha\t3\nretain\tbeta\t2\nlockfile\t%s/rs.pid\nbackup\t%s/tree/\there/\n' "$PWD" "$PWD" "$PWD" >rs.conf
    value "rsnapshot" bash -c "$(declare -f digest more); for i in 1 2 3 4; do rsnapshot -c rs.conf alpha; more; seq \$i >>tree/a/f20; done; rsnapshot -c rs.conf beta; ls rs; find rs -name f1 -printf '%n\n' | sort | uniq -c; digest rs/beta.0 | head -n 1"
    rm -rf rs
}

unison_suite() {
    export UNISON=$PWD/.unison
    value "unison" bash -c "$(declare -f digest); rm -f tree/b/pipe; mkdir u; unison -batch -silent -perms -1 -times tree u >/dev/null 2>&1; echo left >>tree/a/f12; echo right >>u/a/f13; rm u/a/f14; mv tree/a/f15 tree/a/moved; unison -batch -silent -times tree u >/dev/null 2>&1; diff -r tree u && digest u | head -n 1; echo l >tree/a/f16; echo r >u/a/f16; unison -batch -silent tree u >/dev/null 2>&1; echo \$?; unison -batch -silent -prefer newer -backup 'Name *' -backuploc local tree u >/dev/null 2>&1; cmp tree/a/f16 u/a/f16 && find . -name \"*bak*\" | grep -v overlay | wc -l"
    rm -rf u
}

with_go() {
    export RESTIC_PASSWORD=x RESTIC_CACHE_DIR=$PWD/rc
    value "restic" bash -c "$(declare -f digest more); restic -q -r re init && restic -q -r re backup tree && more && restic -q -r re backup tree && restic -q -r re check --read-data && restic -q -r re restore latest --target rr && digest rr/tree | head -n 1 && digest tree | head -n 1"
    value "restic forgets" bash -c 'restic -q -r re forget --keep-last 1 --prune >/dev/null && restic -q -r re check && restic -r re snapshots | grep -c tree'
    value "rclone" bash -c "$(declare -f digest); rclone sync tree rclone/ && rclone check tree rclone/ 2>/dev/null && digest rclone | head -n 1; rclone copy tree :crypt,remote=\$PWD/rcc,password=\$(rclone obscure x): && rclone cryptcheck tree :crypt,remote=\$PWD/rcc,password=\$(rclone obscure x): 2>/dev/null && echo fine; rclone size rclone/ | sha256sum; rclone sha1sum rclone/ | sort | sha256sum"
}
