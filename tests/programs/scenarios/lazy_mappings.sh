# about: private mappings of large files, which are filled when they are touched: stores, protections, moves, forks, signals, system calls, memory
# needs: cc python3
# limit: 900
# case-limit: 200

lazy="$PARTS/lazy_mappings"

run_program() {
    cc -O1 -D_GNU_SOURCE -Wall -Wextra -Werror -pthread -o "$OUTSIDE/program" "$lazy/$1.c"
    OUTSIDE_FILE="$OUTSIDE/copy" "$OUTSIDE/program"
    rm -f big "$OUTSIDE/program" "$OUTSIDE/copy"
}

case_memory() { run_program memory; }

case_calls() { run_program calls; checksum copy; }

case_signals() { run_program signals; }

case_strict() {
    export OVERLAY_STRICT=1
    run_program memory; run_program calls; run_program signals
    checksum copy
}
