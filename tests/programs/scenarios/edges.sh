# about: wrong and odd arguments, offsets that processes share, what the kernel would do behind the filter's back
# needs: gcc

case_answers() {
    gcc -O1 -w -D_GNU_SOURCE "$PARTS/edges/answers.c" -o "$OUTSIDE/answers"
    "$OUTSIDE/answers" "$PWD" || echo "status $?"
    rm "$OUTSIDE/answers"
}

case_shared_offset() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/shared_offset.c" -o "$OUTSIDE/shared_offset"
    for _ in 1 2 3; do "$OUTSIDE/shared_offset" "$PWD/file" || echo "status $?"; done
    rm "$OUTSIDE/shared_offset"
    volatile 'case_shared_offset/file'
}

# With the usual cache, and with one of four places, from which everything is soon evicted.
case_cached_reads() {
    gcc -O2 -pthread "$PARTS/edges/cached_reads.c" -o "$OUTSIDE/cached_reads"
    "$OUTSIDE/cached_reads" || echo "status $?"
    OVERLAY_CACHE=0 "$OUTSIDE/cached_reads" || echo "status $?"
    rm "$OUTSIDE/cached_reads"
}

case_rights() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/rights.c" -o "$OUTSIDE/rights"
    "$OUTSIDE/rights" "$PWD" || echo "status $?"
    rm "$OUTSIDE/rights"
}

case_shut_out() {
    gcc -O1 -w -D_GNU_SOURCE "$PARTS/edges/shut_out.c" -o "$OUTSIDE/shut_out"
    mkdir work && chmod 777 work
    "$OUTSIDE/shut_out" "$PWD/work" || echo "status $?"
    rm "$OUTSIDE/shut_out"
}

case_title() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/title.c" -o "$OUTSIDE/title"
    "$OUTSIDE/title" "$PWD" "$MARKER" || echo "status $?"
    rm "$OUTSIDE/title"
}

case_ioctls() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/ioctls.c" -o "$OUTSIDE/ioctls"
    "$OUTSIDE/ioctls" "$PWD" "$OUTSIDE" "$MARKER" || echo "status $?"
    rm "$OUTSIDE/ioctls"
    volatile 'case_ioctls/file' # ext4 has exchanged the plain one's first blocks, which look like zeros after the last close
}

case_full_pipes() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/full_pipes.c" -o "$OUTSIDE/full_pipes"
    timeout 20 "$OUTSIDE/full_pipes" "$PWD" || echo "status $?"
    rm "$OUTSIDE/full_pipes"
}

# In the root of a volume the directory above is outside of it: a rename to no name must not look like one across the border.
case_names_in_the_root() {
    (cd .. && python3 - <"$PARTS/edges/names_in_the_root.py")
}

case_errno_stays() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/errno_stays.c" -o "$OUTSIDE/errno_stays"
    "$OUTSIDE/errno_stays"
    rm "$OUTSIDE/errno_stays"
}

case_locks_stay() {
    gcc -O1 -D_GNU_SOURCE "$PARTS/edges/locks_stay.c" -o "$OUTSIDE/locks_stay"
    "$OUTSIDE/locks_stay" "$PWD" || echo "status $?"
    rm "$OUTSIDE/locks_stay"
}

case_small_files() {
    gcc -O1 -Wall -D_GNU_SOURCE -pthread "$PARTS/edges/small_files.c" -o "$OUTSIDE/small_files"
    timeout 60 "$OUTSIDE/small_files" "$PWD" || echo "status $?"
    rm "$OUTSIDE/small_files"
}

case_odd_ways() {
    gcc -O1 -w -D_GNU_SOURCE "$PARTS/edges/odd_ways.c" -o "$OUTSIDE/odd_ways"
    "$OUTSIDE/odd_ways" "$PWD" || echo "status $?"
    rm "$OUTSIDE/odd_ways"
}
