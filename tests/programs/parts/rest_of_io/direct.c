/* direct DIRECTORY: O_DIRECT as the program set it, and what is not aligned for it. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "say.h"

static char *s_block; /* aligned to a page */

static int flags_of(int fd) { return fcntl(fd, F_GETFL) & (O_DIRECT | O_APPEND | O_ACCMODE); }

static void transfers(int fd)
{
    struct iovec good[] = {{s_block, 4096}, {s_block + 8192, 4096}}, bad[] = {{s_block, 4096}, {s_block + 100, 4096}};
    SAY(pwrite(fd, s_block, 8192, 0));
    SAY(pwrite(fd, s_block, 4096, 16384));
    SAY(pread(fd, s_block, 8192, 0));
    SAY(pread(fd, s_block, 4096, 16384 + 4096));
    SAY(pread(fd, s_block, 65536, 16384));
    SAY(pwrite(fd, s_block + 1, 4096, 0));
    SAY(pread(fd, s_block + 1, 4096, 0));
    SAY(pwrite(fd, s_block, 4095, 0));
    SAY(pread(fd, s_block, 4095, 0));
    SAY(pwrite(fd, s_block, 4096, 1));
    SAY(pread(fd, s_block, 4096, 1));
    SAY(pwrite(fd, s_block + 512, 512, 512));
    SAY(pread(fd, s_block + 512, 512, 512));
    SAY(pread(fd, s_block, 4096, 1000001));
    SAY(pread(fd, s_block, 0, 1));
    SAY(writev(fd, good, 2));
    SAY(writev(fd, bad, 2));
    SAY(preadv(fd, good, 2, 0));
    SAY(preadv(fd, bad, 2, 0));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(ftruncate(fd, 20000));
    SAY(pread(fd, s_block, 8192, 16384));
    SAY(pread(fd, s_block, 4096, 20000));
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0 || posix_memalign((void **)&s_block, 4096, 1 << 20) != 0)
        return 2;
    memset(s_block, 'd', 1 << 20);
    strcpy(s_block + 100, getenv("MARKER"));
    int fd = OPENED(open("direct", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600));
    printf("flags %o\n", flags_of(fd));
    transfers(fd);

    int other = dup(fd);
    printf("a copy's flags %o\n", flags_of(other));
    SAY(fcntl(fd, F_SETFL, 0));
    printf("without: %o, %o\n", flags_of(fd), flags_of(other));
    SAY(pwrite(fd, s_block + 1, 999, 1));
    SAY(pwrite(other, s_block + 1, 999, 1));
    SAY(fcntl(fd, F_SETFL, O_DIRECT));
    printf("with: %o, %o\n", flags_of(fd), flags_of(other));
    SAY(pwrite(fd, s_block + 1, 999, 1));
    SAY(pwrite(other, s_block + 1, 999, 1));
    SAY(pread(other, s_block, 4096, 0));
    close(fd);
    close(other);

    fd = OPENED(open("direct", O_RDONLY | O_DIRECT));
    printf("flags %o\n", flags_of(fd));
    SAY(read(fd, s_block, 4096));
    SAY(read(fd, s_block + 3, 4096));
    close(fd);
    fd = OPENED(open("direct", O_WRONLY | O_DIRECT | O_APPEND));
    printf("flags %o\n", flags_of(fd));
    SAY(write(fd, s_block, 4096));
    SAY(ftruncate(fd, 4096));
    SAY(write(fd, s_block, 4096));
    SAY(lseek(fd, 0, SEEK_END));
    close(fd);

#ifdef STATX_DIOALIGN
    struct statx status = {0};
    SAY(statx(AT_FDCWD, "direct", 0, STATX_DIOALIGN, &status));
    printf("alignment known %d: %u %u\n", (status.stx_mask & STATX_DIOALIGN) != 0, status.stx_dio_mem_align, status.stx_dio_offset_align);
#endif
    return 0;
}
