/* times DIRECTORY: which of a file's times each call moves. Access is left out: the engine's reads count, and its cache's do not. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

#include "say.h"

static struct stat s_before;
static int s_has_status = 1;

static int is_later(struct timespec a, struct timespec b) { return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec); }

/* Old times; access long ago, so that relatime lets a read move it. */
static void prepare(int fd)
{
    struct timespec times[2] = {{1000000, 0}, {2000000, 0}};
    futimens(fd, times);
    fstat(fd, &s_before);
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
}

static void moved(const char *what, const char *path)
{
    struct stat now;
    stat(path, &now);
    printf("%s:%s%s\n", what, is_later(now.st_mtim, s_before.st_mtim) ? " content" : "",
           s_has_status && is_later(now.st_ctim, s_before.st_ctim) ? " status" : "");
}

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        prepare(fd);                                                                                                   \
        long result = (long)(call);                                                                                    \
        if (result < 0)                                                                                                \
            perror(#call);                                                                                             \
        moved(#call, "file");                                                                                          \
    } while (0)

static long open_and_close(int flags)
{
    int fd = open("file", flags);
    return close(fd);
}

static long write_then_set(int fd)
{
    struct timespec times[2] = {{1000000, 0}, {2000000, 5}};
    int other = open("file", O_RDWR);
    if (pwrite(other, "x", 1, 0) != 1)
        return -1;
    futimens(other, times);
    close(other);
    struct stat status;
    fstat(fd, &status);
    printf("times that were set stay: %ld.%09ld\n", (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    return 0;
}

static long store(int fd, int how)
{
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memory[5]++;
    long result = how != 0 ? msync(memory, 4096, how) : 0;
    return munmap(memory, 4096) | result;
}

int main(int argc, char **argv)
{
    static char buffer[100000];
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    TRY(write(fd, buffer, sizeof buffer));
    TRY(write(fd, buffer, 0));
    TRY(pwrite(fd, buffer, 10, 5));
    TRY(pwrite(fd, buffer, 10, 500000));
    TRY(pread(fd, buffer, 10, 0));
    TRY(pread(fd, buffer, 70000, 0));
    TRY(lseek(fd, 0, SEEK_END));
    s_has_status = 0; /* fsync and the last close of a writer put the content's time back, which moves the other */
    TRY(fsync(fd));
    s_has_status = 1;
    TRY(ftruncate(fd, 200000));
    TRY(ftruncate(fd, 200000));
    TRY(ftruncate(fd, 300000));
    TRY(truncate("file", 250000));
    TRY(truncate("file", 250000));
    TRY(fallocate(fd, 0, 0, 1000));
    TRY(fallocate(fd, 0, 0, 260000));
    TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 300000, 10000));
    TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 20000));
    TRY(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 20000));
    TRY(open_and_close(O_RDONLY));
    TRY(open_and_close(O_RDWR));
    TRY(open_and_close(O_WRONLY | O_APPEND));
    TRY(fchmod(fd, 0640));
    TRY(store(fd, MS_SYNC));
    TRY(store(fd, 0));
    TRY(sendfile(copy, fd, NULL, 0));
    TRY(copy_file_range(fd, (off_t[]){0}, copy, (off_t[]){0}, 1000, 0));
    TRY(copy_file_range(copy, (off_t[]){0}, fd, (off_t[]){0}, 1000, 0));
    TRY(rename("file", "other") | rename("other", "file"));
    TRY(link("file", "linked") | unlink("linked"));
    TRY(write_then_set(fd));
    TRY(open_and_close(O_RDWR | O_TRUNC));
    TRY(open_and_close(O_RDWR | O_TRUNC));
    TRY(write(fd, buffer, 10));
    TRY(pread(fd, buffer, 10, 0));
    s_has_status = 0;
    prepare(fd);
    close(fd);
    moved("the last close", "file");
    s_has_status = 1;
    fd = open("file", O_WRONLY);
    TRY(write(fd, "y", 1));
    s_has_status = 0;
    prepare(fd);
    close(fd);
    moved("the last close of a writer", "file");
    return 0;
}
