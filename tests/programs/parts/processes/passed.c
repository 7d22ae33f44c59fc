/*
 * passed DIRECTORY: descriptors that come over a socket are the same descriptions, with their offsets; a parent goes on from vfork when
 * the child has become another program. Said line by line: the case compares the lines with those of a plain directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define must(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line)
{
    printf("line %d: %s (%s)\n", line, what, strerror(errno));
    exit(1);
}

static char s_other[4096];
static const char *s_program;

static int opened(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    must(fd >= 0);
    return fd;
}

/* The parent goes on when the child has become another program, or ended: what the child wrote before is there then. */
static void vfork_waits(void)
{
    volatile int early = 0;
    for (volatile int i = 0; i < 20; i++) {
        int ends[2];
        char byte;
        must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        pid_t child = vfork();
        if (child == 0) {
            usleep(2000);
            if (write(ends[1], "+", 1) == 1 && i % 2 == 0)
                execl("/bin/true", "true", NULL);
            _exit(0);
        }
        early += read(ends[0], &byte, 1) != 1;
        close(ends[0]);
        close(ends[1]);
        waitpid(child, NULL, 0);
    }
    printf("vfork returned %d times before exec; next descriptor %d\n", early, dup(0));
}

static void number_and_offset(int fd, const char *what)
{
    char bytes[6] = {0};
    off_t before = lseek(fd, 0, SEEK_CUR);
    ssize_t count = read(fd, bytes, 5);
    printf("%s: at %lld, read %zd \"%s\"%s, now at %lld, access %d\n", what, (long long)before, count, bytes,
           count < 0 ? strerror(errno) : "", (long long)lseek(fd, 0, SEEK_CUR), fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND));
}

/* Descriptors that come over a socket: the same description, with its offset. */
static void passed_descriptors(void)
{
    static const int flags[] = {O_RDONLY, O_RDWR, O_WRONLY, O_RDWR | O_APPEND, O_WRONLY | O_APPEND};
    int fd = opened(s_other, O_RDWR | O_CREAT | O_TRUNC);
    must(write(fd, "0123456789abcdefghij", 20) == 20);
    close(fd);
    for (int i = 0; i < 5; i++) {
        fflush(stdout);
        int ends[2];
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        fd = opened(s_other, flags[i]);
        must(lseek(fd, 3, SEEK_SET) == 3);
        pid_t child = fork();
        if (child == 0) {
            char number[16];
            close(fd);
            snprintf(number, sizeof number, "%d", ends[1]);
            fcntl(ends[1], F_SETFD, 0);
            execl(s_program, s_program, number, "receive", NULL);
            _exit(127);
        }
        close(ends[1]);
        char control[CMSG_SPACE(sizeof fd)] = {0}, byte = '+';
        struct iovec vector = {&byte, 1};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
        must(sendmsg(ends[0], &message, 0) == 1);
        waitpid(child, NULL, 0);
        number_and_offset(fd, "the sender afterwards");
        close(fd);
        close(ends[0]);
    }
    fd = opened(s_other, O_RDONLY);
    char bytes[100] = {0};
    printf("in the end: %zd bytes, %s\n", pread(fd, bytes, 99, 0), bytes);
    close(fd);
}

static int receive(int socket)
{
    int fd;
    char control[CMSG_SPACE(sizeof fd)], byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    must(recvmsg(socket, &message, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    number_and_offset(fd, "the receiver");
    ssize_t count = write(fd, "XY", 2);
    struct stat status;
    fstat(fd, &status);
    printf("the receiver writes: %zd %s, at %lld, size %lld\n", count, count < 0 ? strerror(errno) : "", (long long)lseek(fd, 0, SEEK_CUR),
           (long long)status.st_size);
    return 0;
}

int main(int count, char **arguments)
{
    s_program = arguments[0];
    if (count == 3)
        return receive(atoi(arguments[1]));
    snprintf(s_other, sizeof s_other, "%s/passed", arguments[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    vfork_waits();
    passed_descriptors();
    return 0;
}
