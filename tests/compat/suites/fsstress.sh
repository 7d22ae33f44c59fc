# about: fsstress: random calls of every kind, each with its answer; then many processes at once (FSSTRESS=xfstests' fsstress, built)
# limit: 3600

suite() {
    local seed
    if [ ! -x "${FSSTRESS:-}" ]; then
        printf 'RESULT\tall\tskip: FSSTRESS does not name a built fsstress\n'
        return
    fi
    for seed in 1 2 3 4 5 6; do
        mkdir "seed-$seed"
        # shellcheck disable=SC2046
        timeout 900 "$FSSTRESS" -d "$PWD/seed-$seed" -p 1 -n 6000 -s $seed $(without) -v -V >"$SCRATCH/$seed.log" 2>&1
        printf 'RESULT\tseed %s\tstatus %s\n' $seed $?
        printf 'RESULT\tseed %s, answers\t%s\n' $seed "$(answers <"$SCRATCH/$seed.log")"
    done
    for seed in 11 12 13; do
        mkdir "seed-$seed"
        timeout 900 "$FSSTRESS" -d "$PWD/seed-$seed" -p 8 -n 4000 -s $seed >"$SCRATCH/$seed.log" 2>&1
        printf 'RESULT\teight processes, seed %s\tstatus %s\n' $seed $?
    done
}

# What a sealed file refuses (docs/errors.md; README, limits) would make all that follows another story. Not every fsstress knows all of them.
without() {
    local call
    for call in collapse insert getattr exchangerange fiemap uring_read uring_write; do
        "$FSSTRESS" -d "$SCRATCH" -n 0 -f $call=0 >/dev/null 2>&1 && echo "-f $call=0"
    done
}

# Every call, its arguments and its error, but for the blocks that a file takes on disk: lines, and a digest of them.
answers() {
    sed -E '/^io_uring isn.t supported by kernel$/d; s/\[-1 ([0-9-]+ [0-9-]+ [0-9-]+) [0-9]+ /[-1 \1 - /g' >"$SCRATCH/answers"
    echo "$(wc -l <"$SCRATCH/answers") lines, $(md5sum <"$SCRATCH/answers" | cut -c 1-16)"
}
