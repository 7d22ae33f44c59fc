/* A call that succeeds leaves errno alone, on a sealed file, too: Perl's $! is looked at after a print. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRY(call) do { errno = 99; long result = (long)(call); printf("%s: %s, errno %d\n", #call, result == -1 ? "failed" : "ok", errno); } while (0)

int main(void)
{
    static char buffer[100000];
    struct stat status;
    struct iovec vector = {buffer, 5000};
    const char *marker = getenv("MARKER");
    snprintf(buffer, sizeof buffer, "%s", marker);
    int fd = -1, copy = -1;
    void *map = NULL;
    TRY(fd = open("file", O_RDWR | O_CREAT, 0644));
    TRY(copy = open("copy", O_RDWR | O_CREAT | O_APPEND, 0644));
    TRY(write(fd, buffer, sizeof buffer));
    TRY(pwritev(fd, &vector, 1, 7));
    TRY(pread(fd, buffer, sizeof buffer, 3));
    TRY(lseek(fd, 0, SEEK_END));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(sendfile(copy, fd, NULL, 50000));
    TRY(copy_file_range(fd, NULL, copy, NULL, 1, 0));
    TRY(fstat(fd, &status));
    TRY(stat("copy", &status));
    TRY(ftruncate(fd, 70000));
    TRY(fsync(fd));
    TRY(fallocate(fd, 0, 0, 90000));
    TRY(map = mmap(NULL, 20000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    TRY(msync(map, 20000, MS_SYNC));
    TRY(munmap(map, 20000));
    TRY(map = mmap(NULL, 20000, PROT_READ, MAP_PRIVATE, fd, 4096));
    TRY(munmap(map, 20000));
    TRY(truncate("copy", 100));
    TRY(rename("copy", "renamed"));
    TRY(close(copy));
    TRY(close(fd));
    TRY(unlink("renamed"));
    return 0;
}
