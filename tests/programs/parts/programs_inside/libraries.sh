# A program and two libraries of its own, found in every way that there is.
mkdir -p lib bin
echo "const char two_marker[] = \"$MARKER\"; int two(void) { return 2; }" >two.c
echo 'int two(void); int three(void) { return two() + 1; }' >three.c
cat >main.c <<'C'
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
int three(void);
static int show(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (strstr(info->dlpi_name, "liboverlay") == NULL)
        printf("  %s\n", info->dlpi_name);
    return 0;
}
int main(void)
{
    printf("%d\n", three());
    return dl_iterate_phdr(show, NULL);
}
C
gcc -shared -fPIC two.c -o lib/libtwo.so
gcc -shared -fPIC three.c -o lib/libthree.so -Llib -ltwo -Wl,-rpath,'$ORIGIN'
gcc main.c -o bin/by_origin -Llib -lthree -ltwo -Wl,-rpath,'$ORIGIN/../lib'
gcc main.c -o bin/by_variable -Llib -lthree -ltwo
gcc main.c -o bin/by_old_path -Llib -lthree -ltwo -Wl,-rpath,"$PWD/lib" -Wl,--disable-new-dtags
gcc main.c -o bin/by_name lib/libthree.so lib/libtwo.so
