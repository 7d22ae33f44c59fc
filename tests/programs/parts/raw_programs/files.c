/* files MARKER: a file's life, all of it by raw calls; and the same file by libc in between. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "raw.h"

static char s_text[20000], s_back[20000];

int main(int count, char **arguments)
{
    CHECK(count == 2);
    for (size_t i = 0; i < sizeof s_text; i += (size_t)snprintf(s_text + i, sizeof s_text - i, "%zu %s\n", i, arguments[1]))
        ;
    long fd = raw(SYS_open, (long)"made", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK(raw(SYS_write, fd, (long)s_text, sizeof s_text) == sizeof s_text);
    CHECK(raw(SYS_lseek, fd, 0, SEEK_END) == sizeof s_text);
    CHECK(raw(SYS_pwrite64, fd, (long)"PATCH", 5, 5000) == 5);
    CHECK(pread((int)fd, s_back, 5, 5000) == 5 && memcmp(s_back, "PATCH", 5) == 0);
    CHECK(pwrite((int)fd, "patch", 5, 9000) == 5);
    CHECK(raw(SYS_pread64, fd, (long)s_back, sizeof s_back, 0) == sizeof s_back && memcmp(s_back + 9000, "patch", 5) == 0);
    struct stat status;
    CHECK(raw(SYS_fstat, fd, (long)&status) == 0 && status.st_size == sizeof s_text && (status.st_mode & 07777) == 0644);
    struct iovec parts[2] = {{s_text, 100}, {s_text + 100, 100}};
    CHECK(raw(SYS_writev, fd, (long)parts, 2) == 200);
    CHECK(raw(SYS_ftruncate, fd, 15000) == 0);
    char *map = (char *)raw(SYS_mmap, 0, 15000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED && memcmp(map + 5000, "PATCH", 5) == 0);
    memcpy(map + 12000, arguments[1], strlen(arguments[1]));
    CHECK(raw(SYS_munmap, (long)map, 15000) == 0);
    CHECK(raw(SYS_close, fd) == 0 && raw(SYS_close, fd) == -EBADF);
    CHECK(raw(SYS_rename, (long)"made", (long)"kept") == 0);
    CHECK(raw(SYS_open, (long)"made", O_RDONLY, 0) == -ENOENT);
    CHECK(raw(SYS_open, (long)1, O_RDONLY, 0) == -EFAULT);
    /* Numbers of another table, where the kernel has one: never past the filter. */
    fd = raw(SYS_open, (long)"kept", O_RDWR, 0);
    if (getenv("OVERLAY_VOLUMES") != NULL)
        CHECK(raw(SYS_write | 0x40000000, fd, (long)"through", 7) == -ENOSYS);
    CHECK(raw(SYS_close, fd) == 0);
    puts("files");
    return 0;
}
