# about: fio: every block that was written is read again and checked, for each way to write, pattern and number of jobs
# packages: fio
# limit: 2400

ENGINES="sync psync vsync pvsync pvsync2 mmap posixaio splice"
PATTERNS="write randwrite rw randrw"

suite() {
    local engine pattern
    for engine in $ENGINES; do
        for pattern in $PATTERNS; do
            check "$engine $pattern" --ioengine="$engine" --rw="$pattern" --size=4m --bs=4k --verify=crc32c --numjobs=2
        done
        check "$engine of any size" --ioengine="$engine" --rw=randrw --size=4m --bsrange=512-96k --bs_unaligned=1 --verify=md5 --numjobs=2
        check "$engine synced" --ioengine="$engine" --rw=randwrite --size=2m --bs=4k --verify=sha256 --fsync=16 --fdatasync=5
        check "$engine checked meanwhile" --ioengine="$engine" --rw=randwrite --size=4m --bs=8k --verify=xxhash --verify_backlog=32
    done
    check "four jobs, one file" --ioengine=psync --rw=randwrite --filename=shared --size=2m --bs=4k --numjobs=4 --offset_increment=2m \
        --verify=crc32c
    check "direct" --ioengine=psync --direct=1 --rw=randrw --size=4m --bs=4k --verify=crc32c --numjobs=2
    check "of O_SYNC" --ioengine=psync --sync=1 --rw=randwrite --size=1m --bs=4k --verify=crc32c
    check "written again and again" --ioengine=psync --rw=randwrite --size=2m --bs=3000 --verify=crc32c --loops=4 --norandommap
    check "large blocks" --ioengine=psync --rw=write --size=64m --bs=1m --verify=xxhash --numjobs=2
    check "small blocks" --ioengine=psync --rw=randwrite --size=256k --bs=512 --verify=pattern --verify_pattern=0xdeadface
    check "compressible" --ioengine=psync --rw=write --size=16m --bs=64k --buffer_compress_percentage=70 --refill_buffers --verify=crc32c
    check "allocated before" --ioengine=psync --fallocate=posix --rw=randwrite --size=8m --bs=16k --verify=crc32c
    check "truncated before" --ioengine=mmap --fallocate=truncate --rw=randwrite --size=8m --bs=16k --verify=crc32c --numjobs=2
    check "threads" --ioengine=psync --thread --rw=randrw --size=4m --bs=4k --verify=crc32c --numjobs=4
    check "libaio" --ioengine=libaio --iodepth=8 --rw=randwrite --size=4m --bs=4k --verify=crc32c
    check "io_uring" --ioengine=io_uring --iodepth=8 --rw=randwrite --size=4m --bs=4k --verify=crc32c
}

# check NAME OPTIONS...
check() {
    local name=$1 outcome=ok
    shift
    timeout 200 fio --name=job --directory="$PWD" --randseed=7 --verify_fatal=1 --fallocate=none --output="$SCRATCH/fio.out" "$@" \
        >"$SCRATCH/fio.log" 2>&1 </dev/null || outcome="FAIL: status $?"
    [ "$outcome" = ok ] || { echo "== $name"; cat "$SCRATCH/fio.log" "$SCRATCH/fio.out"; } >&2
    printf 'RESULT\t%s\t%s\n' "$name" "$outcome"
    rm -f job.* shared
}
