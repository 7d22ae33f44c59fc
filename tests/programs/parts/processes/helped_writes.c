/*
 * Large writes, and in between what asks for a process of one thread, or ends one. Under Overlay such writes bring a second thread (docs/decisions.md,
 * "Who helps with a large write?"), of which nothing may be noticed but in /proc. Arguments: perhaps the name of one part; the directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALL = 1 << 20, FILE_SIZE = 12 << 20, MANY = 2000 };

static unsigned char s_data[FILE_SIZE + CALL];
extern char **environ;

static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

/* Half of it shrinks. */
static void make_data(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < sizeof s_data; i++)
        s_data[i] = (i >> 16) % 2 == 0 ? (unsigned char)((state = state * 1103515245 + 12345) >> 16) : "a ledger's line, "[i % 17];
}

static void fill(const char *name, size_t call, size_t shift)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        fail(name);
    for (size_t at = 0; at < FILE_SIZE; at += call)
        if (write(fd, s_data + shift + at, call) != (ssize_t)call)
            fail("write");
    if (close(fd) != 0)
        fail("close");
}

static void check(const char *name, size_t shift)
{
    unsigned char *found = malloc(FILE_SIZE);
    int fd = open(name, O_RDONLY);
    ssize_t got = 0, more;
    while ((more = read(fd, found + got, (size_t)(FILE_SIZE - got))) > 0)
        got += more;
    if (got != FILE_SIZE || memcmp(found, s_data + shift, FILE_SIZE) != 0) {
        printf("%s: wrong bytes\n", name);
        _exit(1);
    }
    close(fd);
    free(found);
}

static int field_of_stat(int wanted)
{
    char text[1024], *at;
    int fd = open("/proc/self/stat", O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length < 0 ? 0 : length] = 0;
    at = strrchr(text, ')');
    for (int field = 2; field < wanted; field++)
        at = strchr(at + 1, ' ');
    return atoi(at);
}

static int threads(void) { return field_of_stat(20); }

static void expect_one_thread(const char *when)
{
    if (threads() != 1) {
        printf("%s: %d threads\n", when, threads());
        fflush(stdout);
        _exit(1);
    }
}

/* Until the second thread is there; it is needed for what follows to mean anything. */
static void write_until_helped(const char *name)
{
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    int is_expected = getenv("OVERLAY_VOLUMES") != NULL && CPU_COUNT(&set) > 1;
    for (int i = 0; i < MANY; i++) {
        fill(name, CALL, 0);
        if (!is_expected || threads() > 1)
            return;
    }
    printf("no helper was seen\n");
}

static void end_of(pid_t child, const char *what)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        fail(what);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        printf("%s: status %x\n", what, status);
}

/* As Python asks after a fork whether the process has threads. */
static void forks(void)
{
    for (int i = 0; i < 8; i++) {
        write_until_helped("forks");
        pid_t child = fork();
        if (child == 0) {
            expect_one_thread("in a forked child");
            write_until_helped("child");
            check("child", 0);
            _exit(0);
        }
        expect_one_thread("after a fork");
        fill("forks", CALL, 1);
        end_of(child, "a forked child");
        check("forks", 1);
    }
    write_until_helped("forks");
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    expect_one_thread("after a vfork");
    end_of(child, "a child of vfork");
    write_until_helped("forks");
    char *arguments[] = {"true", NULL};
    if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ) != 0)
        fail("posix_spawn");
    end_of(child, "a spawned child");
    check("forks", 0);
}

static void ends_by_itself(void)
{
    write_until_helped("idle");
    for (int i = 0; i < MANY && threads() > 1; i++)
        usleep(5000);
    expect_one_thread("after a while");
}

static void new_user_namespace(void)
{
    write_until_helped("namespace");
    printf("unshare: %s\n", unshare(CLONE_NEWUSER) == 0 ? "done" : strerror(errno));
    fill("namespace", CALL, 2);
    check("namespace", 2);
}

static void main_thread_exits(void)
{
    write_until_helped("exits");
    pthread_exit(NULL);
}

static void bare_exit(void)
{
    write_until_helped("exits");
    syscall(SYS_exit, 0);
}

static void executes(void)
{
    write_until_helped("executes");
    execlp("sh", "sh", "-c", "ls /proc/$$/task | wc -l", NULL);
    fail("exec");
}

static void exec_fails(void)
{
    write_until_helped("executes");
    execl("/etc/passwd", "passwd", NULL);
    printf("exec: %s\n", strerror(errno));
    /* Kernels before 5.11 take the locks of a process away whose table of descriptors another thread has, too. */
    expect_one_thread("at an exec");
    fill("executes", CALL, 1);
    check("executes", 1);
}

/* What a lock belongs to is the table of descriptors, of which this one becomes another if a thread has it, too. */
static void table_of_its_own(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open("locked", O_RDWR | O_CREAT, 0644);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0)
        fail("lock");
    write_until_helped("table");
    if (syscall(SYS_close_range, 4000, 4100, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0)
        fail("close_range");
    expect_one_thread("with a table of its own");
    usleep(60000);
    pid_t child = fork();
    if (child == 0) {
        int other = open("locked", O_RDWR);
        printf("another process: %s\n", fcntl(other, F_SETLK, &lock) == 0 ? "has the lock" : strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    end_of(child, "another process");
    check("table", 0);
}

/* Whoever makes a thread here is killed. */
static void filtered(void)
{
    write_until_helped("filtered");
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        fail("seccomp");
    expect_one_thread("behind a filter");
    for (size_t shift = 0; shift < 4; shift++)
        fill("filtered", CALL, shift);
    expect_one_thread("behind a filter");
    check("filtered", 3);
}

static void *write_on(void *name)
{
    for (size_t i = 0; i < 6; i++) {
        fill(name, i % 2 == 0 ? CALL : CALL / 4, i);
        check(name, i);
    }
    return NULL;
}

/* One helper for all; forks, and calls that each thread must make, while it is at work. */
static void many_threads(void)
{
    pthread_t others[3];
    char *names[] = {"many-0", "many-1", "many-2"};
    for (int i = 0; i < 3; i++)
        pthread_create(&others[i], NULL, write_on, names[i]);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (i % 4 == 0)
                write_on("many-child");
            _exit(0);
        }
        if (setgid(getgid()) != 0)
            fail("setgid");
        end_of(child, "a child of many threads");
    }
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
}

static int s_other = -1;

static void on_alarm(int number)
{
    (void)number;
    if (pwrite(s_other, s_data + 5, CALL, 0) != CALL)
        _exit(3);
}

static void handlers(void)
{
    s_other = open("handlers-other", O_RDWR | O_CREAT, 0644);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 3000}, {0, 3000}}, NULL);
    for (size_t i = 0; i < 6; i++)
        fill("handlers", CALL, i);
    for (int i = 0; i < 10; i++)
        end_of(fork() ?: (_exit(0), 0), "a child between signals");
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    check("handlers", 5);
    unsigned char *found = malloc(CALL);
    if (pread(s_other, found, CALL, 0) != CALL || memcmp(found, s_data + 5, CALL) != 0)
        printf("wrong bytes by a handler\n");
}

/* No thread may be made: it is done without. */
static void without_threads(void)
{
    setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0});
    for (size_t i = 0; i < 4; i++)
        fill("without", CALL, i);
    check("without", 3);
}

static void one_processor(void)
{
    cpu_set_t set;
    write_until_helped("one");
    sched_getaffinity(0, sizeof set, &set);
    for (int cpu = 0, kept = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set) && kept++ > 0)
            CPU_CLR(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fail("sched_setaffinity");
    expect_one_thread("since there is one processor");
    for (size_t i = 0; i < 4; i++)
        fill("one", CALL, i);
    expect_one_thread("on one processor");
    check("one", 3);
}

static void another_class(void)
{
    write_until_helped("class");
    if (sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) != 0)
        fail("sched_setscheduler");
    expect_one_thread("in another class");
    for (size_t i = 0; i < 2; i++)
        fill("class", CALL, i);
    expect_one_thread("in another class");
    check("class", 1);
}

static const struct {
    const char *name;
    void (*run)(void);
} s_parts[] = {
    {"forks", forks}, {"ends by itself", ends_by_itself}, {"a new user namespace", new_user_namespace}, {"the main thread exits", main_thread_exits},
    {"a bare exit", bare_exit}, {"exec", executes},
    {"an exec that fails", exec_fails}, {"a table of its own", table_of_its_own}, {"another class", another_class}, {"a filter", filtered}, {"many threads", many_threads}, {"handlers", handlers},
    {"without threads", without_threads}, {"one processor", one_processor},
};

int main(int argc, char **argv)
{
    const char *only = argc == 3 ? argv[1] : NULL;
    if (argc < 2 || argc > 3 || chdir(argv[argc - 1]) != 0)
        return 2;
    make_data();
    for (size_t i = 0; i < sizeof s_parts / sizeof s_parts[0]; i++) {
        if (only != NULL && strcmp(only, s_parts[i].name) != 0)
            continue;
        printf("%s\n", s_parts[i].name);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            s_parts[i].run();
            fflush(stdout);
            _exit(0);
        }
        end_of(child, s_parts[i].name);
    }
    return 0;
}
