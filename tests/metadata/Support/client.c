/* A client of the agent written from the table in AgentMessage.cs alone, for what a test in C# cannot be: a forked child,
 * another user. Prints what it learns; exit status 0 unless the agent did something unexpected.
 *
 *   client SOCKET fork ROOT        take a key, fork, adopt in the child, fetch the same key there; the parent goes on
 *   client SOCKET hello UID        become UID once connected to nothing, then say hello; print "status N"
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned char packet[8192];

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void put(unsigned char *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static unsigned get16(const unsigned char *at) { return at[0] | at[1] << 8; }

/* Sends packet[0..size) as a request of this kind, leaves the reply in packet, returns its size. */
static ssize_t call(int agent, unsigned kind, unsigned request, size_t size)
{
    put(packet, kind, 2);
    put(packet + 2, 0, 2);
    put(packet + 4, request, 4);
    if (send(agent, packet, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        fail("send");
    ssize_t got = recv(agent, packet, sizeof packet, 0);
    if (got < 0 && errno == ECONNRESET)
        got = recv(agent, packet, sizeof packet, 0);
    if (got < 8)
        fail("recv");
    if (get16(packet) != (kind | 0x8000) || get16(packet + 4) != request)
        fail("not the reply to this request");
    return got;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int agent = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (agent < 0 || connect(agent, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return agent;
}

static unsigned hello(int agent)
{
    memcpy(packet + 8, "OVLA", 4);
    put(packet + 12, 1, 2);
    put(packet + 14, 1, 2);
    call(agent, 1, 0, 16);
    return get16(packet + 2);
}

static int adopt(int shared)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        fail("socketpair");
    unsigned char note[8] = { 6 };
    struct iovec vector = { note, sizeof note };
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &pair[1], sizeof(int));
    if (sendmsg(shared, &message, MSG_NOSIGNAL) < 0)
        fail("sendmsg");
    close(pair[1]);
    return pair[0];
}

static void get_key(int agent, const unsigned char *volume, const unsigned char *file, unsigned request,
                    const unsigned char *expected)
{
    memcpy(packet + 8, volume, 16);
    memcpy(packet + 24, file, 16);
    memcpy(packet + 40, "\1", 2); // one key
    if (call(agent, 3, request, 42) != 58 || get16(packet + 2) != 0 || memcmp(packet + 26, expected, 32) != 0)
        fail("another key");
}

static int run_fork(const char *socket_path, const char *root)
{
    int agent = connect_to(socket_path);
    if (hello(agent) != 0)
        fail("hello");
    struct stat status;
    if (stat(root, &status) < 0)
        fail(root);
    put(packet + 8, (uint64_t)major(status.st_dev) << 32 | minor(status.st_dev), 8);
    put(packet + 16, status.st_ino, 8);
    put(packet + 24, strlen(root), 2);
    memcpy(packet + 26, root, strlen(root));
    if (call(agent, 2, 1, 26 + strlen(root)) != 28 || get16(packet + 2) != 0)
        fail("attach");
    unsigned char volume[16], file[16], key[32];
    memcpy(volume, packet + 8, 16);
    memcpy(packet + 8, volume, 16);
    put(packet + 24, 1, 2);
    if (call(agent, 4, 2, 26) != 8 + 2 + 48 || get16(packet + 2) != 0)
        fail("take");
    memcpy(file, packet + 10, 16);
    memcpy(key, packet + 26, 32);

    enum { Children = 8, Rounds = 50 };
    for (int i = 0; i < Children; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("fork");
        if (child == 0) {
            int own = adopt(agent);
            close(agent);
            for (unsigned round = 1; round <= Rounds; round++)
                get_key(own, volume, file, round, key);
            _exit(0);
        }
    }
    for (unsigned round = 0; round < Rounds; round++)
        get_key(agent, volume, file, 100 + round, key);
    for (int i = 0; i < Children; i++) {
        int result;
        if (wait(&result) < 0 || result != 0)
            fail("a child failed");
    }
    puts("same key");
    return 0;
}

static int run_hello(const char *socket_path, const char *user)
{
    uid_t uid = (uid_t)atoi(user);
    if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        fail("setresuid");
    printf("status %u\n", hello(connect_to(socket_path)));
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[2], "fork") == 0)
        return run_fork(arguments[1], arguments[3]);
    if (count == 4 && strcmp(arguments[2], "hello") == 0)
        return run_hello(arguments[1], arguments[3]);
    return 64;
}
