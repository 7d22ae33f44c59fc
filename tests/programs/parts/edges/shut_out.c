/*
 * shut_out DIRECTORY: what a file's mode, its owner, or the user that a process has become forbids to us but not to the program; and other small answers
 * that random calls (scenario random_calls) have found to differ. `shut_out DIRECTORY look FD...`: itself, executed by nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char s_data[100000];

static const char *say(long result)
{
    static char text[24];
    snprintf(text, sizeof text, "%ld", result);
    return result < 0 ? strerrorname_np(errno) : text;
}

static void show(const char *what, int result, const struct stat *status)
{
    if (result < 0)
        printf("%s: %s\n", what, say(result));
    else
        printf("%s: %06o, %lld bytes\n", what, status->st_mode, (long long)status->st_size);
}

static void become_nobody(void)
{
    if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        perror("setuid");
}

static void look(int argc, char **argv)
{
    struct stat status;
    for (int i = 3; i < argc; i++) {
        int result = fstat(atoi(argv[i]), &status);
        show("descriptor", result, &status);
    }
    int result = stat("file", &status);
    show("by name", result, &status);
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
        printf("ended with %x\n", status);
}

static char *s_look[8];

static void look_as_nobody(void)
{
    become_nobody();
    execv(s_look[0], s_look);
    perror("execv");
}

/* Others may not open what is being written, but see its size. */
static void statuses(char *self, char *directory)
{
    int writer = open("file", O_RDWR | O_CREAT | O_EXCL, 0600), reader = open("file", O_RDONLY), only_writer = open("file", O_WRONLY | O_APPEND);
    char numbers[3][12];
    snprintf(numbers[0], 12, "%d", writer);
    snprintf(numbers[1], 12, "%d", reader);
    snprintf(numbers[2], 12, "%d", only_writer);
    char *arguments[] = {self, directory, "look", numbers[0], numbers[1], numbers[2], NULL};
    memcpy(s_look, arguments, sizeof arguments);
    for (int i = 0; i < 2; i++) {
        printf("wrote %s\n", say(write(writer, s_data, 50001)));
        fchmod(writer, i == 0 ? 0600 : 0);
        in_a_child(look_as_nobody);
    }
    close(writer);
    close(reader);
    close(only_writer);
    unlink("file");
}

/* One of two descriptors is closed by who could not open the file again. */
static void two_descriptors(void)
{
    static const int modes[] = {O_RDONLY, O_RDWR};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            int made = open("two", O_RDWR | O_CREAT, 0600);
            write(made, s_data, 30000);
            close(made);
            int first = open("two", modes[i]), second = open("two", modes[j]);
            char byte;
            long before = pread(first, &byte, 1, 5);
            if (fork() == 0) {
                become_nobody();
                close(first);
                printf("%d %d: %ld, read %s", i, j, before, say(pread(second, &byte, 1, 29999)));
                printf(", write %s", say(pwrite(second, "x", 1, 40000)));
                struct stat status;
                show("", fstat(second, &status), &status);
                fflush(stdout);
                _exit(0);
            }
            wait(NULL);
            close(first);
            close(second);
            unlink("two");
        }
}

static void allocations(void)
{
    struct stat before, after;
    int fd = open("file", O_RDWR | O_CREAT, 0600), reader = open("file", O_RDONLY);
    write(fd, s_data, 30000);
    printf("reader: %s", say(fallocate(reader, FALLOC_FL_PUNCH_HOLE, 0, 10)));
    printf(" %s", say(fallocate(reader, FALLOC_FL_KEEP_SIZE, 0, 0)));
    printf(" %s\n", say(fallocate(reader, FALLOC_FL_KEEP_SIZE, 0, 10)));
    fchmod(fd, 06755);
    become_nobody();
    fstat(fd, &before);
    printf("nothing changes: %s", say(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10)));
    fstat(fd, &after);
    bool is_later = after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec;
    printf(", %06o, %s\n", after.st_mode, is_later ? "later" : "same time");
    close(fd);
    close(reader);
}

static sigjmp_buf s_back;
static void on_bus(int number) { siglongjmp(s_back, number); }

static const char *touch(volatile char *at)
{
    if (sigsetjmp(s_back, 1) != 0)
        return "SIGBUS";
    return *at == 0 ? "zero" : "data";
}

static void mappings(void)
{
    signal(SIGBUS, on_bus);
    int fd = open("mapped", O_RDWR | O_CREAT, 0600);
    write(fd, s_data, 5000);
    char *at = mmap(NULL, 20000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    printf("private: %s %s", touch(at + 4999), touch(at + 5000));
    printf(" %s %s", touch(at + 8191), touch(at + 8192));
    printf(" %s", touch(at + 19999));
    mprotect(at, 20000, PROT_READ);
    printf(" %s %s\n", touch(at), touch(at + 12288));
    munmap(at, 20000);

    struct stat status;
    fchmod(fd, 06755);
    at = mmap(NULL, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[77] = 'x';
    munmap(at, 5000);
    show("stored to", fstat(fd, &status), &status);
    printf("flock %s", say(flock(fd, LOCK_EX | LOCK_NB)));
    int other = open("mapped", O_RDWR);
    close(fd);
    printf(" %s\n", say(flock(other, LOCK_EX | LOCK_NB)));
    close(other);
    unlink("mapped");
}

static void transfers(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), pipes[2], left = -1;
    write(fd, s_data, 30000);
    lseek(fd, 1000, SEEK_SET);
    printf("within one description: %s", say(sendfile(fd, fd, NULL, 500)));
    printf(" at %lld", (long long)lseek(fd, 0, SEEK_CUR));
    int copy = dup(fd);
    printf(", %s", say(sendfile(copy, fd, NULL, 500)));
    printf(" at %lld\n", (long long)lseek(fd, 0, SEEK_CUR));
    close(copy);
    close(fd);
    if (pipe(pipes) < 0)
        return;
    fd = open("file", O_WRONLY | O_DIRECT);
    write(pipes[1], s_data, 8192);
    off_t offset = 100;
    printf("O_DIRECT: %s", say(splice(pipes[0], NULL, fd, &offset, 8192, 0)));
    ioctl(pipes[0], FIONREAD, &left);
    offset = 4096;
    printf(", left %d, then %s", left, say(splice(pipes[0], NULL, fd, &offset, 8192, 0)));
    ioctl(pipes[0], FIONREAD, &left);
    printf(", left %d\n", left);
    close(fd);
}

static void names(void)
{
    printf("linkat: %s", say(linkat(AT_FDCWD, "/proc/self/fd/999", AT_FDCWD, "new", AT_SYMLINK_FOLLOW)));
    printf(" %s\n", say(linkat(999, "", AT_FDCWD, "new", AT_EMPTY_PATH)));
    mkdir("closed", 0700);
    close(open("others", O_WRONLY | O_CREAT, 0644));
    become_nobody();
    printf("O_TRUNC: %s", say(open("closed", O_RDONLY | O_TRUNC)));
    printf(" %s\n", say(open("others", O_RDONLY | O_TRUNC | O_NOATIME)));
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        look(argc, argv);
        return 0;
    }
    if (argc != 2 || chdir(argv[1]) < 0)
        return 2;
    for (size_t i = 0; i < sizeof s_data; i++)
        s_data[i] = (char)('a' + i % 23);
    umask(0);
    statuses(argv[0], argv[1]);
    two_descriptors();
    in_a_child(allocations);
    mappings();
    transfers();
    in_a_child(names);
    return 0;
}
