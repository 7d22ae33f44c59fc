/*
 * small_files DIRECTORY: what is read of a small file, and how far, whoever else moves its offset, changes it or interrupts; closes of files that
 * were written a moment ago; flags and offsets that change in another process.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small_files.h"

static void pieces(void)
{
    char buffer[64];
    make("pieces", 'p', 50);
    int fd = open("pieces", O_RDONLY);
    for (int i = 0; i < 5; i++) {
        memset(buffer, '.', sizeof buffer);
        long count = read(fd, buffer, 16);
        printf("pieces: %ld %.20s at %ld\n", count, buffer, (long)lseek(fd, 0, SEEK_CUR));
    }
    memset(buffer, '.', sizeof buffer);
    printf("behind: %ld, ", told(pread(fd, buffer, 40, 48)));
    printf("%.5s %ld, ", buffer, told(pread(fd, buffer, 40, 50)));
    printf("%ld\n", told(pread(fd, buffer, 40, -1)));
    lseek(fd, 45, SEEK_SET);
    memset(buffer, '.', sizeof buffer);
    printf("tail: %ld, ", told(read(fd, buffer, 30)));
    printf("%.10s, ", buffer);
    lseek(fd, -50, SEEK_END);
    printf("whole: %ld, ", (long)read(fd, buffer, sizeof buffer));
    lseek(fd, 1000, SEEK_SET);
    printf("beyond: %ld, ", told(read(fd, buffer, sizeof buffer)));
    printf("at %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    close(fd);
    printf("closed: %ld\n", told(read(fd, buffer, 1)));
}

static void bad_buffers(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_READ);
    make("bad", 'b', 100);
    int fd = open("bad", O_RDONLY);
    char *volatile nowhere = (char *)8;
    printf("bad: %ld, ", told(read(fd, nowhere, 100)));
    printf("%ld, ", told(read(fd, pages + 4096, 100)));
    printf("read-only: %d, at %ld, ", pages[4096], (long)lseek(fd, 0, SEEK_CUR));
    printf("%ld\n", told(read(fd, pages, 100)));
    close(fd);
    munmap(pages, 8192);
}

static void two_descriptors(void)
{
    char buffer[64] = "";
    make("two", 't', 40);
    int a = open("two", O_RDONLY), b = open("two", O_RDWR), c = dup(a);
    printf("two: %ld ", told(read(a, buffer, 10)));
    printf("%ld ", told(read(b, buffer, 20)));
    close(a);
    printf("%ld ", told(write(b, "change", 6)));
    printf("%ld ", told(read(c, buffer, 64)));
    close(b);
    printf("%ld ", told(pread(c, buffer, 64, 20)));
    printf("%.10s ", buffer);
    b = open("two", O_RDONLY);
    dup2(c, b);
    printf("%ld\n", (long)read(b, buffer, 64));
    close(b);
    close(c);
}

static void changed_by_another(void)
{
    int turns[2];
    char buffer[64] = "", byte = 0;
    make("changed", 'o', 30);
    socketpair(AF_UNIX, SOCK_STREAM, 0, turns);
    if (fork() == 0) {
        need(read(turns[1], &byte, 1) == 1);
        int fd = open("changed", O_WRONLY);
        need(pwrite(fd, "new", 3, 10) == 3 && ftruncate(fd, 35) == 0 && write(turns[1], "x", 1) == 1);
        _exit(0);
    }
    int fd = open("changed", O_RDONLY);
    printf("old: %ld, ", told(read(fd, buffer, 12)));
    printf("%.12s, ", buffer);
    need(write(turns[0], "x", 1) == 1 && read(turns[0], &byte, 1) == 1);
    memset(buffer, '.', sizeof buffer);
    long count = read(fd, buffer, 60);
    printf("new: %ld %.18s %d %d %.5s\n", count, buffer, buffer[18], buffer[22], buffer + 23);
    close(fd);
    need(wait(NULL) > 0);
}

static void shared_with_a_child(void)
{
    char buffer[64];
    make("shared", 's', 40);
    int fd = open("shared", O_RDONLY);
    printf("shared: %ld, ", (long)read(fd, buffer, 5));
    fflush(stdout);
    if (fork() == 0)
        _exit((int)read(fd, buffer, 20));
    int status = 0;
    need(wait(&status) > 0);
    printf("child %d, rest %ld\n", WEXITSTATUS(status), (long)read(fd, buffer, 64));
    close(fd);
}

/* The receiver, which is no child of an open, moves the offset and makes the description append. */
static void sent(void)
{
    int ends[2];
    char buffer[64] = "", byte = 0;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (fork() == 0) {
        int fd = receive(ends[1]);
        need(read(fd, buffer, 10) == 10 && fcntl(fd, F_SETFL, O_APPEND) == 0 && write(ends[1], "x", 1) == 1);
        _exit(0);
    }
    make("sent", 'm', 30);
    int fd = open("sent", O_RDWR);
    printf("sent: %ld, ", (long)read(fd, buffer, 3));
    fflush(stdout);
    send_descriptor(ends[0], fd);
    need(read(ends[0], &byte, 1) == 1 && wait(NULL) > 0);
    printf("%ld, ", (long)read(fd, buffer, 5));
    printf("%ld, ", (long)pwrite(fd, "appended", 8, 0));
    printf("%ld, ", told(write(fd, "more", 4)));
    printf("at %ld, %ld ", (long)lseek(fd, 0, SEEK_CUR), told(pread(fd, buffer, 64, 30)));
    printf("%.12s\n", buffer);
    close(fd);
}

/* Written in pieces, so that earlier bytes have to be read, through descriptors that only write. */
static void write_only(void)
{
    char buffer[8192];
    int fd = open("only", O_WRONLY | O_CREAT | O_EXCL, 0200);
    for (int i = 0; i < 600; i++)
        need(write(fd, "0123456789", 10) == 10);
    need(pwrite(fd, "middle", 6, 3000) == 6 && lseek(fd, -4, SEEK_END) == 5996 && write(fd, "end", 3) == 3);
    printf("only: %ld, ", told(read(fd, buffer, 10)));
    need(fchmod(fd, 0600) == 0 && close(fd) == 0);
    fd = open("only", O_RDONLY);
    long count = read(fd, buffer, sizeof buffer);
    printf("%ld %.8s %.5s\n", count, buffer + 2999, buffer + 5995);
    close(fd);
    for (int size = 0; size < 5000; size += 1234) {
        struct stat status;
        fd = open("sizes", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        need(write(fd, buffer, (size_t)size) == size && close(fd) == 0 && stat("sizes", &status) == 0);
        printf("%ld ", (long)status.st_size);
    }
    printf("\n");
}

static void lowered_from_outside(void)
{
    int turns[2];
    char byte;
    signal(SIGXFSZ, SIG_IGN);
    socketpair(AF_UNIX, SOCK_STREAM, 0, turns);
    pid_t parent = getpid();
    if (fork() == 0) {
        struct rlimit limit;
        need(read(turns[1], &byte, 1) == 1 && prlimit(parent, RLIMIT_FSIZE, NULL, &limit) == 0);
        limit.rlim_cur = 1000;
        need(prlimit(parent, RLIMIT_FSIZE, &limit, NULL) == 0);
        usleep(100000);
        need(write(turns[1], "x", 1) == 1);
        _exit(0);
    }
    int fd = open("limited", O_RDWR | O_CREAT, 0600);
    printf("limit: %ld, ", (long)write(fd, "before", 6));
    fflush(stdout);
    need(write(turns[0], "x", 1) == 1 && read(turns[0], &byte, 1) == 1 && wait(NULL) > 0);
    printf("%ld, ", (long)pwrite(fd, "over", 4, 998));
    printf("%ld, ", told(pwrite(fd, "over", 4, 1000)));
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    need(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    printf("%ld\n", (long)pwrite(fd, "over", 4, 1000));
    close(fd);
}

/* What a sync leaves to be written must not go to the file that has the descriptor's number next. */
static void synced(void)
{
    char name[16] = "synced-0", buffer[300];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 6; i++) {
            name[7] = (char)('0' + i);
            int fd = open(name, O_RDWR | O_CREAT | (i % 3 == 0 ? O_DSYNC : 0), 0600);
            memset(buffer, 'a' + i, sizeof buffer);
            need(pwrite(fd, buffer, 20, round * (40 + i)) == 20);
            need((i % 3 == 0 || (i % 3 == 1 ? fsync(fd) : fdatasync(fd)) == 0) && close(fd) == 0);
        }
    for (int i = 0; i < 6; i++) {
        name[7] = (char)('0' + i);
        int fd = open(name, O_RDONLY);
        long size = read(fd, buffer, sizeof buffer);
        printf("synced: %ld %c%c\n", size, buffer[0], buffer[size - 1]);
        close(fd);
    }
}

int main(int count, char **arguments)
{
    need(count == 2 && chdir(arguments[1]) == 0);
    pieces();
    bad_buffers();
    two_descriptors();
    changed_by_another();
    shared_with_a_child();
    sent();
    write_only();
    lowered_from_outside();
    interruptions();
    synced();
    threads();
    return 0;
}
