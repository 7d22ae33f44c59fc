/*
 * rights DIRECTORY: who may cut a file? O_TRUNC asks for the right to write whatever the descriptor is for; so does truncate. Root may do
 * everything, so root becomes nobody first; the last lines are of a process whose effective user alone is nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static const char *say(long result)
{
    return result < 0 ? strerror(errno) : "yes";
}

static long size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) < 0 ? -1 : (long)status.st_size;
}

static void make(const char *path, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, "twelve bytes", 12) != 12)
        perror("make");
    fchmod(fd, mode);
    close(fd);
}

static void try_open(mode_t mode, int flags, const char *what)
{
    make("file", mode);
    int fd = open("file", flags, 0600);
    printf("%04o %s: %s", mode, what, say(fd));
    if (fd >= 0)
        close(fd);
    printf(", %ld bytes\n", size_of("file"));
}

/* The right is asked for at each open, not once for a file: another descriptor of it may write. */
static void beside_a_writer(void)
{
    make("file", 0600);
    int writer = open("file", O_RDWR);
    chmod("file", 0400);
    int fd = open("file", O_RDONLY | O_TRUNC);
    printf("beside a writer: %s, %ld bytes\n", say(fd), size_of("file"));
    printf("truncate beside a writer: %s", say(truncate("file", 3)));
    printf(", ftruncate: %s, %ld bytes\n", say(ftruncate(writer, 5)), size_of("file"));
    close(fd);
    close(writer);
}

static void of_one_user(void)
{
    static const mode_t modes[] = {0400, 0200, 0000, 0600};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        try_open(modes[i], O_RDONLY | O_TRUNC, "O_RDONLY | O_TRUNC");
        try_open(modes[i], O_RDONLY | O_TRUNC | O_CREAT, "O_RDONLY | O_TRUNC | O_CREAT");
        try_open(modes[i], O_WRONLY | O_TRUNC, "O_WRONLY | O_TRUNC");
        try_open(modes[i], O_WRONLY | O_APPEND | O_TRUNC, "O_WRONLY | O_APPEND | O_TRUNC");
        try_open(modes[i], O_RDWR | O_TRUNC, "O_RDWR | O_TRUNC");
        make("file", modes[i]);
        printf("%04o truncate: %s", modes[i], say(truncate("file", 5)));
        printf(", %ld bytes\n", size_of("file"));
    }
    unlink("file");
    int fd = open("file", O_RDONLY | O_TRUNC | O_CREAT, 0400);
    printf("a new file: %s\n", say(fd));
    close(fd);
    beside_a_writer();
    unlink("file");
}

static void by_the_effective_user(void)
{
    make("others", 0644);
    int reader = open("others", O_RDONLY);
    if (geteuid() == 0 && seteuid(NOBODY) < 0)
        perror("seteuid");
    printf("truncate of another's: %s", say(truncate("others", 3)));
    int fd = open("others", O_RDONLY | O_TRUNC);
    printf(", O_TRUNC: %s, %ld bytes\n", say(fd), size_of("others"));
    close(reader);
}

static void in_a_child(void (*work)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work();
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status != 0)
        printf("ended with %d\n", status);
}

static void as_nobody(void)
{
    if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        perror("setuid");
    of_one_user();
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) < 0 || mkdir("work", 0777) < 0 || chmod("work", 0777) < 0 || chdir("work") < 0)
        return 2;
    in_a_child(as_nobody);
    if (geteuid() == 0)
        in_a_child(by_the_effective_user);
    return 0;
}
