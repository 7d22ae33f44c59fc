/* flags DIRECTORY: flags of descriptions that change, seen by all descriptors of one, in threads and in children. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "say.h"

static long size_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -1;
}

static void dump(const char *what, int fd)
{
    char text[200] = "";
    long count = pread(fd, text, sizeof text - 1, 0);
    printf("%s: %ld, at %ld: %s\n", what, count, lseek(fd, 0, SEEK_CUR), text);
}

static void duplicates(void)
{
    int fd = open("duplicates", O_RDWR | O_CREAT | O_TRUNC, 0600), copy = dup(fd);
    SAY(write(copy, "0123456789", 10));
    SAY(fcntl(fd, F_SETFL, O_APPEND));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(write(copy, "appended by the copy", 20));
    SAY(pwrite(copy, "pwrite, too", 11, 0));
    dump("after appending", fd);
    SAY(fcntl(copy, F_SETFL, O_NONBLOCK));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(write(fd, "AB", 2));
    SAY(pwrite(copy, "CD", 2, 4));
    dump("not any more", fd);
    printf("flags %o %o\n", fcntl(fd, F_GETFL) & 07777 & ~O_ACCMODE, fcntl(copy, F_GETFL) & 07777 & ~O_ACCMODE);
    int on = 1;
    SAY(ioctl(fd, FIONBIO, &on));
    SAY(fcntl(fd, F_SETFL, O_NOATIME));
    SAY(fcntl(fd, F_SETFL, O_RDONLY | O_SYNC | O_CREAT));
    printf("flags %o\n", fcntl(fd, F_GETFL) & ~0100000);
}

static void children(void)
{
    int fd = open("children", O_RDWR | O_CREAT | O_TRUNC, 0600), steps[2], back[2];
    char byte;
    if (pipe(steps) != 0 || pipe(back) != 0)
        return;
    SAY(write(fd, "parent ", 7));
    if (fork() == 0) {
        close(steps[1]);
        if (write(fd, "child ", 6) != 6 || write(back[1], "x", 1) != 1 || read(steps[0], &byte, 1) != 1)
            _exit(1);
        lseek(fd, 0, SEEK_SET);
        if (write(fd, "child appends ", 14) != 14)
            _exit(1);
        _exit(0);
    }
    if (read(back[0], &byte, 1) != 1)
        return;
    SAY(fcntl(fd, F_SETFL, O_APPEND));
    SAY(write(steps[1], "x", 1));
    wait(NULL);
    dump("parent set O_APPEND", fd);
    if (fork() == 0)
        _exit(fcntl(fd, F_SETFL, 0) != 0);
    wait(NULL);
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(write(fd, "over", 4));
    dump("child took it away", fd);
}

static void *use(void *argument)
{
    int fd = *(int *)argument, copy = dup(fd);
    close(fd);
    SAY(write(copy, "by a thread", 11));
    *(int *)argument = copy;
    return NULL;
}

static void threads(void)
{
    int fd = open("threads", O_RDWR | O_CREAT | O_TRUNC, 0600), moved = fd;
    pthread_t thread;
    SAY(write(fd, "main ", 5));
    pthread_create(&thread, NULL, use, &moved);
    pthread_join(thread, NULL);
    SAY(write(moved, " and main", 9));
    dump("through a thread", moved);
    printf("the first is closed: %d\n", fcntl(fd, F_GETFD) < 0 || moved == fd);
    SAY(dup2(moved, 300));
    SAY(syscall(436, 300, 400, 4)); /* close_range, CLOSE_RANGE_CLOEXEC */
    printf("close on exec %d\n", fcntl(300, F_GETFD));
    SAY(syscall(436, 250, 400, 0));
    printf("closed %d, size %ld\n", fcntl(300, F_GETFD) < 0, size_of(moved));
    SAY(write(moved, "!", 1));
}

/* Large enough for blocks of its own, which an engine that wrote through an appending description would put at the end. */
static void large_files(void)
{
    static char data[100000];
    int fd = open("large", O_RDWR | O_CREAT | O_TRUNC, 0600), copy = dup(fd);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (char)('a' + i % 23);
    SAY(write(fd, data, sizeof data));
    SAY(write(copy, "x", 1));
    SAY(fcntl(copy, F_SETFL, O_APPEND));
    for (int i = 0; i < 5; i++) {
        lseek(fd, 0, SEEK_SET);
        SAY(write(fd, data, 30000));
    }
    SAY(ftruncate(fd, 170001));
    SAY(fcntl(fd, F_SETFL, 0));
    SAY(pwrite(copy, "in the middle", 13, 50000));
    printf("size %ld\n", size_of(fd));
    fflush(stdout);
    if (fork() == 0)
        _exit(fcntl(fd, F_SETFL, O_APPEND) != 0);
    wait(NULL);
    SAY(ftruncate(fd, 180000));
    SAY(pwrite(fd, data, 20000, 0));
    SAY(fsync(fd));
    printf("size %ld\n", size_of(fd));
    if (fork() == 0)
        _exit(fcntl(fd, F_SETFL, O_DIRECT) != 0);
    wait(NULL);
    SAY(pread(fd, data, 4096, 0) >= 0 || errno == EINVAL);
    SAY(fcntl(fd, F_SETFL, 0));
    SAY(write(fd, "end", 3));
}

/* What a killed process has stored is written by somebody else, through the description that it left behind. */
static void killed_mapper(void)
{
    static char data[100000];
    int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (char)('a' + i % 19);
    SAY(write(fd, data, sizeof data));
    fflush(stdout);
    if (fork() == 0) {
        int own = open("mapped", O_RDWR);
        char *memory = mmap(NULL, sizeof data, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
        fcntl(own, F_SETFL, O_APPEND);
        fcntl(fd, F_SETFL, O_APPEND);
        memcpy(memory + 50000, "stored by who is killed", 23);
        kill(getpid(), SIGKILL);
    }
    wait(NULL);
    SAY(pread(fd, data, 23, 50000));
    printf("%.23s, size %ld\n", data, size_of(fd));
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    duplicates();
    children();
    threads();
    large_files();
    killed_mapper();
    return 0;
}
