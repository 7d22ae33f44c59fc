/* passing DIRECTORY: bytes through pipes and sockets, descriptors through sockets and pidfd_getfd, another process's memory. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "say.h"

static char s_text[20000], s_back[20000];

static void same(const char *what, long size, long offset)
{
    printf("%s: %d\n", what, memcmp(s_text + offset, s_back, (size_t)size) == 0);
    memset(s_back, 0, sizeof s_back);
}

static void pipes(int fd)
{
    int first[2], second[2], pair[2];
    loff_t at = 3000;
    struct iovec memory = {s_text, 4000};
    if (pipe(first) != 0 || pipe(second) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return;
    SAY(splice(fd, &at, first[1], NULL, 5000, 0));
    printf("at %ld\n", (long)at);
    SAY(tee(first[0], second[1], 2000, 0));
    SAY(read(second[0], s_back, 2000));
    same("teed", 2000, 3000);
    SAY(splice(first[0], NULL, pair[0], NULL, 5000, SPLICE_F_MOVE));
    SAY(recv(pair[1], s_back, 5000, MSG_WAITALL));
    same("through a socket", 5000, 3000);
    SAY(vmsplice(first[1], &memory, 1, SPLICE_F_GIFT));
    at = 20000;
    SAY(splice(first[0], NULL, fd, &at, 4000, 0));
    SAY(pread(fd, s_back, 4000, 20000));
    same("from memory", 4000, 0);
    SAY(send(pair[0], s_text, 3000, 0));
    SAY(splice(pair[1], NULL, first[1], NULL, 3000, 0));
    at = 30000;
    SAY(splice(first[0], NULL, fd, &at, 3000, 0));
    SAY(pread(fd, s_back, 3000, 30000));
    same("from a socket", 3000, 0);
    SAY(splice(fd, NULL, pair[0], NULL, 100, 0));
    SAY(tee(fd, first[1], 100, 0));
    memory.iov_len = 100;
    SAY(vmsplice(fd, &memory, 1, 0));
    off_t offset = 100;
    SAY(sendfile(pair[0], fd, &offset, 7000));
    SAY(recv(pair[1], s_back, 7000, MSG_WAITALL));
    same("sent", 7000, 100);
    printf("offset %ld\n", (long)offset);
    int copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t from = 50, to = 70;
    SAY(copy_file_range(fd, &from, copy, &to, 15000, 0));
    SAY(pread(copy, s_back, 15000, 70));
    same("copied", 15000, 50);
    SAY(copy_file_range(fd, &from, fd, &to, 15000, 1));
    SAY(copy_file_range(copy, (off_t[]){0}, copy, (off_t[]){10}, 100, 0));
    SAY(copy_file_range(copy, (off_t[]){1000000}, fd, (off_t[]){0}, 100, 0));
    close(first[1]);
    SAY(splice(first[0], NULL, fd, NULL, 100, 0));
}

static void send_descriptor(int socket, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = "", byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(socket, &message, 0) != 1)
        perror("sendmsg");
}

static int receive_descriptor(int socket)
{
    char control[CMSG_SPACE(sizeof(int))] = "", byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1)
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void descriptors(int fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int own = open("childs", O_RDWR | O_CREAT | O_TRUNC, 0600), log = receive_descriptor(pair[1]), high;
        if (write(own, "the child's own file", 20) != 20 || (high = dup2(own, 333)) < 0)
            _exit(1);
        if (write(log, "written by the child, ", 22) != 22)
            _exit(1);
        send_descriptor(pair[1], own);
        char byte;
        _exit(read(pair[1], &byte, 1) != 1);
    }
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600), byte = 0;
    send_descriptor(pair[0], log);
    int got = receive_descriptor(pair[0]);
    SAY(pread(got, s_back, 100, 0));
    printf("%s\n", s_back);
    SAY(write(log, "and by the parent", 17));
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0), stolen = (int)syscall(438 /* pidfd_getfd */, pidfd, 333, 0);
    printf("stolen %d\n", stolen >= 0);
    SAY(pwrite(stolen, "THE", 3, 0));
    SAY(pread(got, s_back, 100, 0));
    printf("%s\n", s_back);
    SAY(lseek(stolen, 0, SEEK_CUR));
    SAY(write(pair[0], &byte, 1));
    wait(NULL);
    int reader = open("log", O_RDONLY);
    memset(s_back, 0, sizeof s_back);
    SAY(read(reader, s_back, 100));
    printf("%s\n", s_back);
    /* Kept by nobody but a socket for a while. */
    send_descriptor(pair[0], log);
    close(log);
    log = receive_descriptor(pair[1]);
    SAY(write(log, ", again", 7));
    (void)fd;
}

static void memories(int fd)
{
    static char here[100];
    struct iovec local = {here, 20}, remote = {s_text, 20};
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    SAY(process_vm_readv(child, &local, 1, &remote, 1, 0));
    SAY(pwrite(fd, here, 20, 0));
    SAY(pread(fd, here, 20, 100));
    SAY(process_vm_writev(child, &local, 1, &remote, 1, 0));
    kill(child, 9);
    wait(NULL);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    for (unsigned i = 0; i < sizeof s_text; i++)
        s_text[i] = (char)('a' + (i * i + i / 7) % 26);
    strcpy(s_text + 3100, getenv("MARKER"));
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SAY(write(fd, s_text, sizeof s_text));
    pipes(fd);
    descriptors(fd);
    memories(fd);
    return 0;
}
