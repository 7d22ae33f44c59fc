/*
 * locks DIRECTORY: what a program may expect of POSIX locks, locks of open file descriptions and flock, said line by line: the case
 * compares the lines with those of a plain directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define must(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line)
{
    printf("line %d: %s (%s)\n", line, what, strerror(errno));
    exit(1);
}

static char s_path[4096], s_other[4096];
static const char *s_program;

/* What another process sees when it asks for a lock: "free", or who has it. */
static const char *seen_by_another(int command, int type, off_t start, off_t length)
{
    static char s_answers[8][64];
    static int s_next;
    char *answered = s_answers[s_next++ % 8];
    int ends[2];
    must(pipe(ends) == 0);
    pid_t owner = getpid(), child = fork();
    must(child >= 0);
    if (child == 0) {
        int fd = open(s_path, O_RDWR);
        struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
        int failed = fcntl(fd, command, &lock);
        char answer[64];
        snprintf(answer, sizeof answer, "%s", failed ? strerror(errno)
                 : lock.l_type == F_UNLCK ? "free" : lock.l_pid == owner ? "ours" : lock.l_pid == -1 ? "a description's" : "another's");
        must(write(ends[1], answer, sizeof answer) == sizeof answer);
        _exit(0);
    }
    must(read(ends[0], answered, sizeof *s_answers) == sizeof *s_answers);
    close(ends[0]);
    close(ends[1]);
    waitpid(child, NULL, 0);
    return answered;
}

static const char *seen(void) { return seen_by_another(F_GETLK, F_WRLCK, 0, 100); }

static const char *flock_seen(void)
{
    pid_t child = fork();
    if (child == 0) {
        int fd = open(s_path, O_RDWR);
        _exit(flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno);
    }
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 0 ? "free" : strerror(WEXITSTATUS(status));
}

static int lock_at(int fd, int command, int type, off_t start, off_t length)
{
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &lock) == 0 ? 0 : errno;
}

static int opened(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    must(fd >= 0);
    return fd;
}

static int locked(int flags)
{
    int fd = opened(s_path, flags);
    must(lock_at(fd, F_SETLK, F_WRLCK, 0, 100) == 0);
    return fd;
}

static void posix_locks(void)
{
    int fd = locked(O_RDWR);
    printf("a lock is seen: %s; another range: %s; a process does not disturb itself: %d\n", seen(),
           seen_by_another(F_GETLK, F_WRLCK, 200, 10), lock_at(fd, F_SETLK, F_RDLCK, 0, 100));
    printf("a read lock lets readers: %s, not writers: %s\n", seen_by_another(F_GETLK, F_RDLCK, 0, 100), seen());
    lock_at(fd, F_SETLK, F_UNLCK, 0, 100);
    printf("unlocked: %s\n", seen());
    close(fd);

    static const int flags[] = {O_RDWR, O_WRONLY, O_WRONLY | O_APPEND, O_RDWR | O_APPEND};
    for (int i = 0; i < 4; i++) {
        fd = locked(flags[i]);
        int copy = dup(fd), second;
        must(write(fd, "some bytes", 10) == 10);
        printf("flags %d: locked: %s", i, seen());
        // What must not drop it: nothing here closes a descriptor of the program's.
        struct stat status;
        stat(s_path, &status);
        truncate(s_path, 5000);
        access(s_path, R_OK);
        chmod(s_path, 0640);
        must(open(s_path, O_RDWR | O_CREAT | O_EXCL, 0600) < 0);
        close(open(s_path, O_PATH));
        rename(s_path, s_other);
        rename(s_other, s_path);
        fsync(fd);
        if (fork() == 0) {
            close(fd);
            _exit(0);
        }
        wait(NULL);
        must(system("true") == 0);
        printf(", after stat, truncate, rename, fork: %s", seen());
        close(opened("/dev/null", O_RDONLY));
        second = opened(s_path, O_RDONLY);
        char byte;
        must(pread(second, &byte, 1, 0) == 1);
        printf(", a second descriptor: %s", seen());
        close(second);
        printf(", closed: %s", seen());
        lock_at(fd, F_SETLK, F_WRLCK, 0, 100);
        close(copy);
        printf(", a copy closed: %s", seen());
        lock_at(fd, F_SETLK, F_WRLCK, 0, 100);
        dup2(STDERR_FILENO, copy);
        second = opened(s_path, O_WRONLY | O_APPEND);
        dup2(STDERR_FILENO, second);
        printf(", a second one replaced: %s", seen());
        close(second);
        close(copy);
        close(fd);
        printf(", all closed: %s\n", seen());
    }
    fd = locked(O_RDWR);
    must(ftruncate(fd, 1000) == 0);
    struct flock end = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 10};
    must(fcntl(fd, F_SETLK, &end) == 0);
    printf("a lock from the end: %s before, %s there, %s behind\n", seen_by_another(F_GETLK, F_WRLCK, 980, 10),
           seen_by_another(F_GETLK, F_WRLCK, 990, 10), seen_by_another(F_GETLK, F_WRLCK, 1000, 10));
    close(fd);
}

/* Each waits for the other's byte: the kernel tells one of them. */
static void deadlock(void)
{
    int fd = opened(s_path, O_RDWR), ends[2];
    must(pipe(ends) == 0 && lock_at(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
    pid_t child = fork();
    if (child == 0) {
        must(lock_at(fd, F_SETLKW, F_WRLCK, 1, 1) == 0);
        must(write(ends[1], "+", 1) == 1);
        _exit(lock_at(fd, F_SETLKW, F_WRLCK, 0, 1));
    }
    char byte;
    int status, ours;
    must(read(ends[0], &byte, 1) == 1);
    usleep(100000);
    ours = lock_at(fd, F_SETLKW, F_WRLCK, 1, 1);
    lock_at(fd, F_SETLK, F_UNLCK, 0, 10);
    waitpid(child, &status, 0);
    printf("a deadlock: %s\n", (ours == EDEADLK) != (WEXITSTATUS(status) == EDEADLK) ? "one is told" : "wrong");
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

static void description_locks(void)
{
    int fd = opened(s_path, O_RDWR), second = opened(s_path, O_RDWR);
    printf("a description's lock: %d", lock_at(fd, F_OFD_SETLK, F_WRLCK, 0, 100));
    printf(", another description of ours: %s", strerror(lock_at(second, F_OFD_SETLK, F_WRLCK, 50, 1)));
    must(pwrite(fd, "x", 1, 10) == 1 && pwrite(second, "y", 1, 11) == 1);
    close(second);
    printf(", seen: %s", seen_by_another(F_OFD_GETLK, F_WRLCK, 0, 100));
    int copy = dup(fd);
    close(fd);
    printf(", one of two copies closed: %s", seen_by_another(F_OFD_GETLK, F_WRLCK, 0, 100));
    if (fork() == 0) {
        close(copy);
        _exit(0);
    }
    wait(NULL);
    printf(", the child's copy closed: %s", seen_by_another(F_OFD_GETLK, F_WRLCK, 0, 100));
    close(copy);
    printf(", all closed: %s\n", seen_by_another(F_OFD_GETLK, F_WRLCK, 0, 100));

    fd = opened(s_path, O_WRONLY | O_APPEND);
    second = opened(s_path, O_RDONLY);
    printf("flock: %d", flock(fd, LOCK_EX));
    printf(", another description: %s", strerror(flock(second, LOCK_EX | LOCK_NB) ? errno : 0));
    must(write(fd, "abc", 3) == 3);
    close(second);
    printf(", seen: %s", flock_seen());
    copy = dup(fd);
    close(fd);
    printf(", a copy closed: %s", flock_seen());
    close(copy);
    printf(", all closed: %s\n", flock_seen());
}

/* In the new program: waits until it may end. "again": one more exec before; "close": closes a descriptor of the file before. */
static int wait_after_exec(char **arguments)
{
    char byte = '+';
    if (strcmp(arguments[3], "again") == 0)
        execl(s_program, s_program, arguments[1], arguments[2], "wait", arguments[4], NULL);
    if (strcmp(arguments[3], "close") == 0)
        close(atoi(arguments[4]));
    must(write(atoi(arguments[2]), &byte, 1) == 1);
    close(atoi(arguments[2]));
    return read(atoi(arguments[1]), &byte, 1) != 0;
}

/* A lock outlives exec, unless a descriptor of the file is closed by it or afterwards. */
static void lock_over_exec(int flags, const char *how)
{
    fflush(stdout);
    int go[2], ready[2];
    must(pipe(go) == 0 && pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        char in[16], out[16], file[16];
        int fd = locked(flags);
        must(write(locked(flags), "abc", 3) == 3);
        snprintf(in, sizeof in, "%d", go[0]);
        snprintf(out, sizeof out, "%d", ready[1]);
        snprintf(file, sizeof file, "%d", fd);
        close(go[1]);
        must(execl("/dev/null", "null", NULL) < 0); /* one that fails changes nothing */
        execl(s_program, s_program, in, out, how, file, NULL);
        _exit(127);
    }
    close(go[0]);
    char byte;
    must(read(ready[0], &byte, 1) == 1);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 100};
    int fd = opened(s_path, O_RDWR);
    must(fcntl(fd, F_GETLK, &lock) == 0);
    printf("flags %d, %s: a lock after exec: %s\n", flags, how, lock.l_type == F_UNLCK ? "lost" : lock.l_pid == child ? "kept" : "wrong");
    close(fd);
    close(go[1]);
    close(ready[0]);
    close(ready[1]);
    waitpid(child, NULL, 0);
}

int main(int count, char **arguments)
{
    s_program = arguments[0];
    if (count == 5)
        return wait_after_exec(arguments);
    snprintf(s_path, sizeof s_path, "%s/locked", arguments[1]);
    snprintf(s_other, sizeof s_other, "%s/other", arguments[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    int fd = opened(s_path, O_RDWR | O_CREAT);
    must(ftruncate(fd, 100000) == 0);
    close(fd);
    posix_locks();
    deadlock();
    description_locks();
    static const int flags[] = {O_RDWR, O_WRONLY, O_WRONLY | O_APPEND};
    for (int i = 0; i < 3; i++) {
        lock_over_exec(flags[i], "wait");
        lock_over_exec(flags[i], "again");
        lock_over_exec(flags[i], "close");
    }
    return 0;
}
