/*
 * helped DIRECTORY: threads write a megabyte a call, to files of their own and to one that all have, while others fork, spawn, change their user, end, and
 * are interrupted; under Overlay one second thread helps them all (docs/decisions.md, "Who helps with a large write?"). Children write as much, and some are
 * killed in the middle of it. TORTURE_HELPED: how many rounds; TORTURE_BLOCK: the volume's block size; TORTURE_TORN: 1: the file system may tear
 * a block, as plain ones do; TORTURE_STORM: SIGALRM every ten milliseconds, whose handler writes a large buffer, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define CALL (1 << 20)
#define FILE_SIZE (4 * CALL)
#define WRITERS 3
#define TURNERS 2
#define CELLS 8 /* of the file that all have: the first word of a cell is its tag */

static struct {
    uint64_t rounds, writes, kills, signals, serial;
} *s_count; /* shared with all children */
static const char *s_directory;
static int s_cells, s_mark;
static volatile int s_is_over;
static uint64_t s_wanted, s_block;
static bool s_may_tear;
static unsigned char s_mark_bytes[CALL / 4];

static uint64_t count(uint64_t *counter) { return __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

static void name_of(char path[static 256], const char *kind, uint64_t number)
{
    snprintf(path, 256, "%s/%s.%llu", s_directory, kind, (unsigned long long)number);
}

/* The first ones are whole blocks. */
static size_t call_size(struct random *random, bool is_whole)
{
    static const size_t sizes[] = {CALL, CALL, CALL / 2, CALL / 4, CALL / 8, CALL / 16, CALL - 4096, CALL - 77};
    return sizes[below(random, is_whole ? 6 : 8)];
}

/* ---- a file of one's own: written, looked at, written over, looked at ---- */

static void write_through(int fd, unsigned char *bytes, struct random *random, uint64_t tag, bool is_whole)
{
    size_t size;
    for (uint64_t at = 0; at < FILE_SIZE; at += size) {
        size = call_size(random, is_whole);
        size = size < FILE_SIZE - at ? size : FILE_SIZE - at;
        fill(bytes, size, tag, at);
        pwrite_all(fd, bytes, size, at);
        count(&s_count->writes);
    }
}

static void look_through(int fd, unsigned char *bytes, uint64_t tag, const char *path)
{
    for (uint64_t at = 0; at < FILE_SIZE; at += CALL) {
        size_t size = pread_all(fd, bytes, CALL, at), same = check(bytes, size, tag, at);
        if (size != CALL || same != CALL)
            fail("%s: wrong bytes at %llu", path, (unsigned long long)(at + same));
    }
}

static void use_own_file(const char *kind, struct random *random, unsigned char *bytes)
{
    char path[256];
    name_of(path, kind, count(&s_count->serial));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(fd >= 0);
    for (int i = 0; i < 2; i++) {
        uint64_t tag = draw(random);
        write_through(fd, bytes, random, tag, false);
        look_through(fd, bytes, tag, path);
    }
    must(close(fd) == 0);
    must(unlink(path) == 0);
}

/* ---- the file that all have: a cell is of one writer, or blocks of several that came at once ---- */

static void use_cells(struct random *random, unsigned char *bytes)
{
    uint64_t cell = below(random, CELLS);
    if (chance(random, 50)) {
        uint64_t tag = count(&s_count->serial);
        for (uint64_t at = 0; at < CALL; at += s_block) { /* each block says whose it is */
            memcpy(bytes + at, &tag, 8);
            fill(bytes + at + 8, s_block - 8, tag, at + 8);
        }
        pwrite_all(s_cells, bytes, CALL, cell * CALL);
        count(&s_count->writes);
        return;
    }
    must(pread_all(s_cells, bytes, CALL, cell * CALL) == CALL);
    for (uint64_t at = 0; at < CALL; at += s_block) {
        uint64_t tag;
        memcpy(&tag, bytes + at, 8);
        if (!s_may_tear && check(bytes + at + 8, s_block - 8, tag, at + 8) != s_block - 8)
            fail("cells: a torn block at %llu of cell %llu", (unsigned long long)at, (unsigned long long)cell);
    }
}

static void *writer(void *seed)
{
    struct random random = {(uintptr_t)seed};
    unsigned char *bytes = malloc(CALL);
    while (!s_is_over) {
        use_own_file("writer", &random, bytes);
        for (int i = 0; i < 8; i++)
            use_cells(&random, bytes);
    }
    free(bytes);
    return NULL;
}

/* ---- what goes on meanwhile ---- */

static void expect_end(pid_t child, int wanted, const char *what)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != child || status != wanted)
        fail("%s: child %d ended with status %x", what, child, status);
}

static void live_as_child(struct random *random, unsigned char *bytes)
{
    use_own_file("child", random, bytes);
    use_cells(random, bytes);
    if (chance(random, 30)) {
        pid_t child = fork();
        must(child >= 0);
        if (child == 0) {
            use_own_file("grandchild", random, bytes);
            exit(0);
        }
        use_own_file("child", random, bytes);
        expect_end(child, 0, "a grandchild");
    }
}

static void by_fork(struct random *random, unsigned char *bytes)
{
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        live_as_child(random, bytes);
        _exit(0);
    }
    use_cells(random, bytes);
    expect_end(child, 0, "fork");
}

/* Killed while it writes: what it leaves behind is what a write makes of a file, up to any block of it. */
static void by_kill(struct random *random, unsigned char *bytes)
{
    char path[256];
    uint64_t old = draw(random), new = draw(random);
    name_of(path, "killed", count(&s_count->serial));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(fd >= 0);
    write_through(fd, bytes, random, old, true);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0)
        for (;;) {
            write_through(fd, bytes, random, new, true);
            use_cells(random, bytes);
        }
    usleep((useconds_t)below(random, 12000));
    must(kill(child, SIGKILL) == 0);
    expect_end(child, SIGKILL, "kill");
    count(&s_count->kills);
    for (uint64_t at = 0; at < FILE_SIZE; at += s_block) {
        size_t size = pread_all(fd, bytes, s_block, at);
        size_t as_old = check(bytes, size, old, at), as_new = check(bytes, size, new, at);
        if (size != s_block || (!s_may_tear && as_old != size && as_new != size))
            fail("%s: at %llu, %zu bytes: as before up to %zu, as written up to %zu", path, (unsigned long long)at, size, as_old, as_new);
    }
    must(close(fd) == 0);
    must(unlink(path) == 0);
}

static void by_spawn(struct random *random, unsigned char *bytes)
{
    extern char **environ;
    char *const arguments[] = {"true", NULL};
    pid_t child;
    (void)random;
    (void)bytes;
    must(posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0);
    expect_end(child, 0, "posix_spawn");
    child = vfork();
    must(child >= 0);
    if (child == 0)
        _exit(0);
    expect_end(child, 0, "vfork");
}

/* Behind a filter's flag, in a namespace of its own, on one processor, with no number left for a thread. */
static void by_change(struct random *random, unsigned char *bytes)
{
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        cpu_set_t one;
        use_own_file("changed", random, bytes);
        switch (below(random, 4)) {
        case 0: prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); break;
        case 1: must(unshare(CLONE_FS | CLONE_FILES) == 0); break;
        case 2: must(syscall(SYS_close_range, 4000, 4100, 2 /* CLOSE_RANGE_UNSHARE */) == 0); break;
        default:
            CPU_ZERO(&one);
            CPU_SET(sched_getcpu(), &one);
            sched_setaffinity(0, sizeof one, &one);
        }
        use_own_file("changed", random, bytes);
        _exit(0);
    }
    must(setgid(getgid()) == 0); /* in all threads */
    expect_end(child, 0, "a change");
}

static void *write_and_end(void *seed)
{
    struct random random = {(uintptr_t)seed};
    unsigned char *bytes = mmap(NULL, CALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(bytes != MAP_FAILED);
    use_own_file("short", &random, bytes);
    must(munmap(bytes, CALL) == 0);
    return NULL;
}

static void by_threads(struct random *random, unsigned char *bytes)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        must(pthread_create(&threads[i], NULL, write_and_end, (void *)draw(random)) == 0);
    use_cells(random, bytes);
    for (int i = 0; i < 2; i++)
        must(pthread_join(threads[i], NULL) == 0);
}

static void *turner(void *seed)
{
    static void (*const ways[])(struct random *, unsigned char *) = {by_fork, by_fork, by_kill, by_kill, by_spawn, by_change, by_threads};
    struct random random = {(uintptr_t)seed};
    unsigned char *bytes = malloc(CALL);
    while (count(&s_count->rounds) <= s_wanted) {
        ways[below(&random, sizeof ways / sizeof *ways)](&random, bytes);
        beat();
    }
    free(bytes);
    return NULL;
}

/* ---- signals ---- */

static void on_signal(int number)
{
    int error = errno;
    (void)number;
    pwrite_all(s_mark, s_mark_bytes, sizeof s_mark_bytes, 0);
    count(&s_count->signals);
    errno = error;
}

static void storm(bool is_on)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const struct itimerval often = {{0, is_on ? 10000 : 0}, {0, is_on ? 10000 : 0}};
    sigemptyset(&action.sa_mask);
    must(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static void make_files(void)
{
    char path[256];
    unsigned char *bytes = malloc(CALL);
    name_of(path, "cells", 0);
    must((s_cells = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0);
    for (uint64_t at = 0; at < CALL; at += s_block) {
        memset(bytes + at, 0, 8);
        fill(bytes + at + 8, s_block - 8, 0, at + 8);
    }
    for (uint64_t cell = 0; cell < CELLS; cell++)
        pwrite_all(s_cells, bytes, CALL, cell * CALL);
    name_of(path, "mark", 0);
    must((s_mark = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0);
    fill(s_mark_bytes, sizeof s_mark_bytes, 1, 0);
    on_signal(0);
    free(bytes);
}

static void look_at_mark(void)
{
    unsigned char *bytes = malloc(CALL);
    if (pread_all(s_mark, bytes, CALL, 0) != sizeof s_mark_bytes || memcmp(bytes, s_mark_bytes, sizeof s_mark_bytes) != 0)
        fail("mark: wrong bytes");
    free(bytes);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: helped DIRECTORY\n");
        return 2;
    }
    s_directory = arguments[1];
    torture_name = "helped";
    torture_seed = setting("TORTURE_SEED", 1);
    s_wanted = setting("TORTURE_HELPED", 60);
    s_block = setting("TORTURE_BLOCK", 16384);
    s_may_tear = setting("TORTURE_TORN", 0) != 0;
    struct random random = {torture_seed};
    s_count = shared_memory(4096);
    make_files();
    pthread_t writers[WRITERS], turners[TURNERS];
    for (int i = 0; i < WRITERS; i++)
        must(pthread_create(&writers[i], NULL, writer, (void *)draw(&random)) == 0);
    if (setting("TORTURE_STORM", 0))
        storm(true);
    for (int i = 0; i < TURNERS; i++)
        must(pthread_create(&turners[i], NULL, turner, (void *)draw(&random)) == 0);
    for (int i = 0; i < TURNERS; i++)
        must(pthread_join(turners[i], NULL) == 0);
    storm(false);
    s_is_over = 1;
    for (int i = 0; i < WRITERS; i++)
        must(pthread_join(writers[i], NULL) == 0);
    look_at_mark();
    printf("%llu large writes, %llu children killed, %llu signals\n", (unsigned long long)s_count->writes, (unsigned long long)s_count->kills,
           (unsigned long long)s_count->signals);
    return 0;
}
