# about: what few programs do with files: O_DIRECT, flags that change, times, handles, leases, events, allocation, passing, attributes
# needs: gcc python3

run_part() {
    gcc -O1 -w -D_GNU_SOURCE -pthread "$PARTS/rest_of_io/$1.c" -o "$OUTSIDE/$1"
    "$OUTSIDE/$1" "$PWD" || echo "status $?"
    rm "$OUTSIDE/$1"
}

case_direct() { run_part direct; }

case_flags() { run_part flags; }

case_times() { run_part times; }

case_vectors() { run_part vectors; }

case_names() { run_part names; }

case_extents() { run_part extents; }

case_passing() { run_part passing; }

case_watching() { run_part watching; }
