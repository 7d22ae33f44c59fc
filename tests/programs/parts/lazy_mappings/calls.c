/* System calls that read or write what was never touched: every one as on a plain file. */
#include "common.h"
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;

static void sending(void)
{
    char *map = map_file("big", PROT_READ), byte[16];
    int fd = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600), out = open(getenv("OUTSIDE_FILE"), O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2], pipes[2];
    printf("write %zd %zd", write(fd, map + MIB, 3 * MIB), write(out, map + 4 * MIB, 3 * MIB));
    printf(" pwrite %zd %zd\n", pwrite(fd, map + 8 * MIB + 5, MIB, 3 * MIB), pwrite(out, map + 9 * MIB + 5, MIB, 3 * MIB));
    struct iovec vectors[2] = {{map + 11 * MIB, 100}, {map + 13 * MIB, MIB}};
    printf("writev %zd %zd\n", writev(fd, vectors, 2), pwritev(out, vectors, 2, 4 * MIB));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && pipe(pipes) == 0);
    printf("send %zd sendto %zd", send(ends[0], map + 15 * MIB, 8, 0), sendto(ends[0], map + 16 * MIB, 8, 0, NULL, 0));
    struct iovec one = {map + 17 * MIB, 8};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    printf(" sendmsg %zd", sendmsg(ends[0], &message, 0));
    one.iov_base = map + 18 * MIB;
    struct mmsghdr messages = {.msg_hdr = message};
    printf(" sendmmsg %d", sendmmsg(ends[0], &messages, 1, 0));
    for (int i = 15; i < 19; i++)
        printf(" %d", read(ends[1], byte, 8) == 8 && *(uint64_t *)byte == word_at(i * MIB));
    one.iov_base = map + 35 * MIB;
    printf(" vmsplice %zd", vmsplice(pipes[1], &one, 1, 0));
    printf(" %d\n", read(pipes[0], byte, 8) == 8 && *(uint64_t *)byte == word_at(35 * MIB));
    printf("stdio %zu\n", fwrite(map + 36 * MIB, 1, 0, stdout));
    CHECK(munmap(map + 38 * MIB, MIB) == 0 && mprotect(map + 40 * MIB, MIB, PROT_NONE) == 0);
    ssize_t result = write(out, map + 38 * MIB, 4096);
    printf("gone %zd %d", result, errno);
    result = write(out, map + 40 * MIB, 10);
    printf(" none %zd %d", result, errno);
    printf(" up to it %zd\n", write(fd, map + 40 * MIB - 100, 200));
    CHECK(close(fd) == 0 && close(out) == 0 && munmap(map, SIZE) == 0);
}

static void receiving(void)
{
    char *map = map_file("big", PROT_READ | PROT_WRITE);
    int fd = open("big", O_RDONLY), out = open(getenv("OUTSIDE_FILE"), O_RDONLY), ends[2];
    struct stat *status = (struct stat *)(map + 2 * MIB);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    printf("read %zd %zd", read(fd, map + 3 * MIB + 1, 2 * MIB), read(out, map + 6 * MIB + 1, 2 * MIB));
    printf(" %d %d\n", *(uint64_t *)(map + 3 * MIB + 1) == word_at(0), *(uint64_t *)(map + 6 * MIB + 1) == word_at(4 * MIB));
    struct iovec vectors[2] = {{map + 9 * MIB, 100}, {map + 10 * MIB, 1000}};
    printf("readv %zd %zd\n", preadv(fd, vectors, 2, 0), readv(out, vectors, 2));
    CHECK(write(ends[0], "0123456789abcdef", 16) == 16);
    struct iovec one = {map + 12 * MIB, 4};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    printf("recv %zd recvmsg %zd", recv(ends[1], map + 11 * MIB, 4, 0), recvmsg(ends[1], &message, 0));
    printf(" read %zd %.4s%.4s%.4s\n", read(ends[1], map + 13 * MIB, 4), map + 11 * MIB, map + 12 * MIB, map + 13 * MIB);
    printf("stat %d %d", stat("big", status), status->st_size == SIZE);
    printf(" clock %d\n", clock_gettime(CLOCK_MONOTONIC, (struct timespec *)(map + 16 * MIB)));
    printf("untouched around %d %d\n", is_right(map, 3 * MIB - 8), is_right(map, 11 * MIB + 8));
    CHECK(munmap(map, SIZE) == 0 && close(fd) == 0 && close(out) == 0);
}

static void naming(void)
{
    char *map = map_file("big", PROT_READ), *arguments[] = {"/bin/echo", "echoes", map + PATH_AT, NULL}, *twice[] = {"echo", map + PATH_AT, NULL};
    int fd = open(map + PATH_AT, O_RDWR | O_CREAT, 0600), status;
    pid_t child;
    printf("open %d access %d", fd >= 0, access(map + PATH_AT, R_OK));
    printf(" rename %d\n", rename(map + PATH_AT, "renamed"));
    CHECK(close(fd) == 0 && unlink("renamed") == 0 && munmap(map, SIZE) == 0);
    map = map_file("big", PROT_READ);
    arguments[2] = twice[1] = map + PATH_AT;
    fflush(stdout);
    CHECK(posix_spawn(&child, "/bin/echo", NULL, NULL, arguments, environ) == 0 && waitpid(child, &status, 0) == child);
    printf("spawned %d\n", status);
    CHECK(munmap(map, SIZE) == 0);
    map = map_file("big", PROT_READ);
    arguments[2] = twice[1] = map + PATH_AT;
    fflush(stdout);
    if ((child = fork()) == 0)
        _exit(execvp("echo", twice));
    CHECK(waitpid(child, &status, 0) == child);
    printf("executed %d\n", status);
    CHECK(munmap(map, SIZE) == 0);
}

int main(void)
{
    make("big");
    sending(), receiving(), naming();
    return 0;
}
