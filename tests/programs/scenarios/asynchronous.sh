# about: asynchronous I/O: the kernel's (libaio) by system call and by fio, and libc's threads (POSIX)
# needs: gcc

case_native() {
    gcc -O1 -w -D_GNU_SOURCE -pthread "$PARTS/asynchronous/native.c" -o "$OUTSIDE/native"
    "$OUTSIDE/native" "$PWD" "$OUTSIDE" || echo "status $?"
    rm "$OUTSIDE/native"
}

case_posix() {
    gcc -O1 -D_GNU_SOURCE -pthread "$PARTS/asynchronous/posix.c" -o "$OUTSIDE/posix" -lrt
    "$OUTSIDE/posix" "$PWD" || echo "status $?"
    rm "$OUTSIDE/posix"
    checksum posix
}

case_fio() {
    need fio
    fio --output-format=terse "$PARTS/asynchronous/verify.fio" >"$OUTSIDE/result" || cat "$OUTSIDE/result"
    rm "$OUTSIDE/result"
    stat -c '%n %s' ./*.0
    volatile 'case_fio/*'
}
