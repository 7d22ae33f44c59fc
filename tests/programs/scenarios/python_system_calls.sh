# about: python3 and the system calls: sendfile, copy_file_range, preadv, fallocate, O_TMPFILE, holes, mmap, locks
# needs: python3

case_vectors() {
    python3 - <"$PARTS/python_system_calls/vectors.py"
    checksum a
}

case_copies_in_the_kernel() {
    python3 - <"$PARTS/python_system_calls/copies_in_the_kernel.py"
}

case_allocation_and_holes() {
    python3 - <"$PARTS/python_system_calls/allocation_and_holes.py"
    checksum a h
}

case_unnamed_files() {
    python3 - <"$PARTS/python_system_calls/unnamed_files.py"
}

case_mapped_reading() {
    python3 - <"$PARTS/python_system_calls/mapped_reading.py"
}

case_locks() {
    python3 - <"$PARTS/python_system_calls/locks.py"
}

case_flags_and_duplicates() {
    python3 - <"$PARTS/python_system_calls/flags_and_duplicates.py"
}

case_rename_variants() {
    python3 - <"$PARTS/python_system_calls/rename_variants.py"
}
