#!/bin/sh
# What configure scripts do: many small programs, compiled, run and thrown away, and a log of it all.
exec 5>config.log
try_run() {
    cat >conftest.c; rm -f conftest
    if gcc -o conftest conftest.c >&5 2>&1 && ./conftest >&5 2>&1; then echo yes; else echo "no ($?)"; fi
    rm -f conftest conftest.c
}
echo "checking whether programs run: $(echo 'int main(void) { return 0; }' | try_run)"
echo "checking whether failure is seen: $(echo 'int main(void) { return 7; }' | try_run)"
echo "checking whether a crash is seen: $(echo 'int main(void) { return *(volatile int *)8; }' | try_run)"
echo "checking whether errors are seen: $(echo 'int main(void) { return nothing; }' | try_run)"
for size in char short int long 'void *'; do
    printf '#include <stdio.h>\nint main(void) { fprintf(fopen("conftest.val", "w"), "%%d", (int)sizeof(%s)); return 0; }\n' "$size" |
        try_run >&5
    echo "checking size of $size: $(cat conftest.val)"
    rm -f conftest.val
done
cat >config.status <<'STATUS'
#!/bin/sh
echo "config.status with $# arguments: $0"
sed 's/%/\t/' Makefile.in >Makefile
STATUS
chmod +x config.status
./config.status a b
