/*
 * locks_stay DIRECTORY: a POSIX lock goes when its process closes any descriptor of the file. It must not go because the engine did:
 * after each further way to open the file, another process looks whether the lock is still there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int lock(int fd, int type, int command)
{
    struct flock range = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    return fcntl(fd, command, &range) < 0 ? -1 : range.l_type;
}

static void look(const char *what, int fd)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int other = open("file", O_RDWR);
        _exit(lock(other, F_WRLCK, F_GETLK) == F_UNLCK ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%s: %s, %s\n", what, fd >= 0 ? "opened" : "refused", status == 0 ? "held" : "gone");
}

static int start(int flags, int type)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (write(fd, "some text\n", 10) != 10)
        return -1;
    close(fd);
    fd = open("file", flags);
    lock(fd, type, F_SETLK);
    look("locked", fd);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) < 0)
        return 2;
    static const int ways[] = {O_WRONLY, O_WRONLY | O_APPEND, O_RDWR | O_APPEND, O_RDWR | O_SYNC, O_RDONLY | O_TRUNC, O_RDWR};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int fd = start(O_RDONLY, F_RDLCK), more = open("file", ways[i]);
        look("another descriptor", more);
        printf("the next number is higher by %d\n", dup(0) - more);
        for (int number = 3; number < 20; number++)
            close(number);
        look("closed", fd);
    }
    int fd = start(O_RDWR, F_WRLCK);
    fcntl(fd, F_SETFL, O_APPEND);
    look("made appending", fd);
    if (truncate("file", 3) < 0)
        return 3;
    look("truncated by name", fd);
    return 0;
}
