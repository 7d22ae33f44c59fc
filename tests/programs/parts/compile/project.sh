# Writes a small C project: 24 sources, a header, a library, dependencies.
mkdir -p src include
cp "$PARTS/compile/project.mk" Makefile
echo 'int parts(void); int part(int);' >include/parts.h
for i in $(seq 24); do
    cat >"src/part$i.c" <<C
#include <stdio.h>
#include "parts.h"
/* $MARKER */
int part_$i(int v) { return v * $i + snprintf(0, 0, "%d", v); }
C
done
{
    echo '#include <stdio.h>'
    echo '#include "parts.h"'
    for i in $(seq 24); do echo "int part_$i(int);"; done
    echo 'int main(void) { int sum = 0;'
    for i in $(seq 24); do echo "    sum += part_$i(sum & 15);"; done
    echo '    printf("sum %d\n", sum); return 0; }'
} >src/main.c
