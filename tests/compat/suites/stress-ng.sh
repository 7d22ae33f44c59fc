# about: stress-ng's stressors of files, directories, mappings, locks and processes, with --verify, as root and as nobody
# packages: stress-ng
# limit: 3600

# NAME:OPERATIONS of a worker; options that keep a stressor's files small follow below.
STRESSORS="access:300 aio:1000 aiol:200 chdir:300 chmod:300 chown:300 clone:100 copy-file:300 daemon:100 dentry:2000 dev-shm:10 dir:1000
    dirdeep:300 dirmany:1000 dnotify:20 dup:500 eventfd:500 exec:50 fallocate:50 fanotify:20 fcntl:500 fiemap:200 fifo:500 file-ioctl:100
    filename:500 flock:500 fork:300 fpunch:50 fsize:100 fstat:300 getdent:200 handle:200 hdd:500 inotify:20 io:50 iomix:500 lease:500
    link:30 locka:300 lockf:300 lockofd:300 madvise:10 memfd:10 mincore:100 mknod:100 mmap:20 mmapfixed:100 mmapfork:2 mmapmany:5
    mprotect:500 mremap:20 msync:20 munmap:5 open:2000 pidfd:100 pipe:5000 poll:500 procfs:20 readahead:5000 remap:30 rename:2000
    revio:500 rmap:10 seal:50 seek:2000 sendfile:500 sigio:500 splice:500 symlink:30 sync-file:50 sysbadaddr:300 tee:500 touch:1000
    userfaultfd:20 utime:1000 vfork:300 vm-splice:500 xattr:50"

SMALL="--copy-file-bytes 128m --fallocate-bytes 16m --fiemap-bytes 8m --hdd-bytes 16m --iomix-bytes 16m --mmap-bytes 8m --readahead-bytes 16m
    --revio-bytes 16m --seek-size 8m --sync-file-bytes 16m --msync-bytes 8m --sendfile-size 64k --mmap-file --memfd-bytes 16m
    --mremap-bytes 8m --vm-splice-bytes 64k --aiol-requests 16 --dir-dirs 256 --dirdeep-inodes 2000"

suite() {
    local stressor name user as
    for user in root nobody; do
        [ $user = root ] || [ "$(id -u)" = 0 ] || break
        as=
        [ $user = root ] || as="setpriv --reuid 65534 --regid 65534 --clear-groups"
        mkdir $user && { [ -z "$as" ] || chown 65534:65534 $user; }
        for stressor in ${STRESS_NG_STRESSORS:-$STRESSORS}; do
            name=${stressor%:*}
            # shellcheck disable=SC2086
            timeout -k 5 120 $as stress-ng --temp-path "$PWD/$user" --verify --oomable --timeout 60 $SMALL \
                --"$name" 2 --"$name"-ops "${stressor#*:}" >"$SCRATCH/$user-$name.log" 2>&1 </dev/null
            printf 'RESULT\t%s as %s\t%s\n' "$name" $user "$(outcome $?)"
        done
    done
}

# stress-ng's own exit statuses
outcome() {
    case $1 in
        0) echo ok ;;
        3 | 4 | 6) echo skip ;; # no resources, not implemented, not measured
        *) echo "FAIL: status $1" ;;
    esac
}
