/* vectors DIRECTORY: preadv2 and pwritev2 with each flag. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "say.h"

/* By number: libc emulates some of it. */
static long in(int fd, const struct iovec *vectors, long count, long offset, long flags)
{
    return syscall(SYS_preadv2, fd, vectors, count, offset, 0L, flags);
}

static long out(int fd, const struct iovec *vectors, long count, long offset, long flags)
{
    return syscall(SYS_pwritev2, fd, vectors, count, offset, 0L, flags);
}

int main(int argc, char **argv)
{
    static char a[8192] = "0123456789", b[8192];
    struct iovec data[] = {{a, 5}, {a + 5, 5}}, back[] = {{b, 4}, {b + 4, 100}};
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    strcpy(a + 10, getenv("MARKER"));
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), end = open("file", O_WRONLY | O_APPEND);
    for (int bit = 0; bit < 10; bit++) {
        printf("== flag %#x\n", 1 << bit);
        SAY(out(fd, data, 2, 0, 1 << bit));
        SAY(out(fd, data, 2, -1, 1 << bit));
        SAY(in(fd, back, 2, 0, 1 << bit));
        SAY(in(fd, back, 2, -1, 1 << bit));
        SAY(out(end, data, 2, 3, 1 << bit));
        SAY(out(end, data, 2, -1, 1 << bit));
        SAY(lseek(fd, 0, SEEK_CUR));
        SAY(lseek(end, 0, SEEK_CUR));
        SAY(lseek(fd, 0, SEEK_END));
        SAY(ftruncate(fd, 0));
        SAY(lseek(fd, 0, SEEK_SET));
    }
    SAY(out(fd, data, 2, 0, 0x10 | 0x20));
    SAY(out(fd, data, 2, 0, 2 | 4 | 8));
    SAY(out(fd, data, 2, -2, 0));
    SAY(in(fd, back, 2, -2, 0));
    SAY(in(fd, back, 0, 0, 0));
    SAY(in(fd, back, -1, 0, 0));
    SAY(out(fd, data, 1025, 0, 0));
    SAY(out(-1, data, 1, 0, 0x40000000));
    SAY(out(fd, data, 1, 0, 0x40000000));
    return 0;
}
