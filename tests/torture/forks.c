/*
 * forks DIRECTORY: threads hammer files while others fork in every way there is, and the children work, start threads and fork
 * again. TORTURE_FORKS: how many; TORTURE_STORM: SIGALRM and SIGPROF every millisecond, whose handlers read and write sealed files.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

#define HAMMERS 3
#define FORKERS 3
#define BASE_SIZE 40000
#define BASE_TAG 4711
#define NOTE_SIZE 64

static struct {
    uint64_t forks, notes, threads, signals, turns;
} *s_count; /* shared with all children */
static const char *s_directory, *s_program;
static int s_base, s_notes, s_marks;
static volatile int s_is_over;
static uint64_t s_wanted;

static void count(uint64_t *counter) { __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

static void name_of(char path[static 256], const char *kind, long number)
{
    snprintf(path, 256, "%s/%s.%ld", s_directory, kind, number);
}

/* ---- what every process, thread and handler can do: no allocation ---- */

static void look_at_base(int fd, struct random *random)
{
    unsigned char bytes[3000];
    uint64_t at = below(random, BASE_SIZE - sizeof bytes);
    size_t size = pread_all(fd, bytes, sizeof bytes, at);
    if (size != sizeof bytes || check(bytes, size, BASE_TAG, at) != size)
        fail("base: wrong bytes at %llu", (unsigned long long)at);
}

static void look_at_base_by_name(struct random *random)
{
    char path[256];
    name_of(path, "base", 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0);
    look_at_base(fd, random);
    must(close(fd) == 0);
}

/* Appends a note that says its number; all are counted at the end. */
static void add_note(void)
{
    unsigned char note[NOTE_SIZE];
    uint64_t number = __atomic_fetch_add(&s_count->notes, 1, __ATOMIC_RELAXED);
    memcpy(note, &number, 8);
    fill(note + 8, NOTE_SIZE - 8, number, 0);
    write_all(s_notes, note, NOTE_SIZE);
}

static void write_own_file(struct random *random, const char *kind, long number)
{
    unsigned char bytes[6000], found[6000];
    char path[256];
    name_of(path, kind, number);
    uint64_t tag = draw(random);
    size_t size = skewed(random, sizeof bytes);
    fill(bytes, size, tag, 0);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    write_all(fd, bytes, size);
    if (pread_all(fd, found, sizeof found, 0) != size || check(found, size, tag, 0) != size)
        fail("%s: wrong bytes", path);
    must(close(fd) == 0);
    must(unlink(path) == 0);
}

static void *short_thread(void *seed)
{
    struct random random = {(uintptr_t)seed};
    look_at_base(s_base, &random);
    if (chance(&random, 50))
        look_at_base_by_name(&random);
    if (chance(&random, 50))
        write_own_file(&random, "thread", (long)syscall(SYS_gettid));
    count(&s_count->threads);
    return NULL;
}

static void start_threads(struct random *random, int number)
{
    pthread_t threads[4];
    for (int i = 0; i < number; i++)
        must(pthread_create(&threads[i], NULL, short_thread, (void *)draw(random)) == 0);
    for (int i = 0; i < number; i++)
        must(pthread_join(threads[i], NULL) == 0);
}

/* ---- children ---- */

static void expect_good_end(pid_t child, const char *what)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != child || status != 0)
        fail("%s: child %d ended with status %x", what, child, status);
}

/* In a child by libc's fork everything works, also memory and threads. */
static void child_life(struct random *random, int depth)
{
    look_at_base(s_base, random);
    look_at_base_by_name(random);
    write_own_file(random, "child", getpid());
    add_note();
    if (chance(random, 30))
        start_threads(random, 1 + (int)below(random, 3));
    if (depth < 3 && chance(random, 30)) {
        count(&s_count->forks);
        pid_t child = fork();
        must(child >= 0);
        if (child == 0) {
            child_life(random, depth + 1);
            _exit(0);
        }
        look_at_base(s_base, random);
        expect_good_end(child, "grandchild");
    }
}

static void by_fork(struct random *random)
{
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        child_life(random, 0);
        if (chance(random, 20))
            exit(0);
        _exit(0);
    }
    expect_good_end(child, "fork");
}

static int life_of_copy(void *random)
{
    look_at_base(s_base, random);
    write_own_file(random, "copy", getpid());
    add_note();
    _exit(0);
}

/* Copies made without libc knowing: only what needs no allocation. */
static void by_hand(struct random *random)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    char stack[65536] __attribute__((aligned(16)));
    long child;
    switch (below(random, 5)) {
    case 0: child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); break;
    case 1: child = syscall(SYS_fork); break;
    case 2: child = syscall(SYS_clone3, &arguments, sizeof arguments); break;
    case 3: child = clone(life_of_copy, stack + sizeof stack, SIGCHLD, random); break;
    default: child = _Fork(); break;
    }
    must(child >= 0);
    if (child == 0)
        life_of_copy(random);
    expect_good_end((pid_t)child, "a copy by hand");
}

static void by_vfork(struct random *random)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)draw(random));
    pid_t child = vfork();
    must(child >= 0);
    if (child == 0) {
        execl(s_program, s_program, s_directory, seed, NULL);
        _exit(127);
    }
    expect_good_end(child, "vfork");
}

static void compare_with_base(const char *path, const char *what)
{
    unsigned char *bytes = malloc(BASE_SIZE + 1);
    int fd = open(path, O_RDONLY);
    must(fd >= 0);
    size_t size = pread_all(fd, bytes, BASE_SIZE + 1, 0);
    if (size != BASE_SIZE || check(bytes, size, BASE_TAG, 0) != size)
        fail("%s: %s has %zu bytes or wrong ones", what, path, size);
    close(fd);
    free(bytes);
    must(unlink(path) == 0);
}

static void by_posix_spawn(struct random *random)
{
    char base[256], out[256];
    name_of(base, "base", 0);
    name_of(out, "spawned", (long)draw(random) & 0xFFFFFF);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, base, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 9, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 9, 1);
    posix_spawn_file_actions_addclose(&actions, 9);
    char *const arguments[] = {"cat", NULL};
    pid_t child;
    extern char **environ;
    must(posix_spawn(&child, "/bin/cat", &actions, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    expect_good_end(child, "posix_spawn");
    compare_with_base(out, "posix_spawn");
}

static void by_system(struct random *random)
{
    char base[256], out[256], command[600];
    name_of(base, "base", 0);
    name_of(out, "system", (long)draw(random) & 0xFFFFFF);
    snprintf(command, sizeof command, "cat '%s' > '%s'", base, out);
    int status = system(command);
    if (status != 0)
        fail("system: status %x", status);
    compare_with_base(out, "system");
}

static void by_popen(struct random *random)
{
    char base[256], out[256], command[600];
    unsigned char *bytes = malloc(BASE_SIZE + 1);
    name_of(base, "base", 0);
    name_of(out, "piped", (long)draw(random) & 0xFFFFFF);
    if (chance(random, 50)) {
        snprintf(command, sizeof command, "cat '%s'", base);
        FILE *pipe = popen(command, "r");
        must(pipe != NULL);
        size_t size = fread(bytes, 1, BASE_SIZE + 1, pipe);
        if (size != BASE_SIZE || check(bytes, size, BASE_TAG, 0) != size)
            fail("popen: %zu bytes or wrong ones", size);
        must(pclose(pipe) == 0);
    } else {
        snprintf(command, sizeof command, "cat > '%s'", out);
        FILE *pipe = popen(command, "w");
        must(pipe != NULL);
        /* Nothing waits in the stream: a child that another thread forks meanwhile has the stream too, and exit would flush it twice. */
        must(setvbuf(pipe, NULL, _IONBF, 0) == 0);
        fill(bytes, BASE_SIZE, BASE_TAG, 0);
        must(fwrite(bytes, 1, BASE_SIZE, pipe) == BASE_SIZE);
        must(pclose(pipe) == 0);
        compare_with_base(out, "popen");
    }
    free(bytes);
}

static void by_daemon(struct random *random)
{
    int ends[2];
    char out[256];
    name_of(out, "daemon", (long)draw(random) & 0xFFFFFF);
    must(pipe(ends) == 0);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        unsigned char bytes[BASE_SIZE];
        close(ends[0]);
        must(daemon(1, 1) == 0);
        count(&s_count->forks);
        fill(bytes, sizeof bytes, BASE_TAG, 0);
        int fd = open(out, O_WRONLY | O_CREAT | O_EXCL, 0600);
        must(fd >= 0);
        write_all(fd, bytes, sizeof bytes);
        must(close(fd) == 0);
        add_note();
        must(write(ends[1], "+", 1) == 1);
        _exit(0);
    }
    close(ends[1]);
    expect_good_end(child, "daemon");
    char byte = 0;
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    if (byte != '+')
        fail("daemon: it died");
    compare_with_base(out, "daemon");
}

static void *forker(void *seed)
{
    static void (*const ways[])(struct random *) = {by_fork, by_fork, by_fork, by_fork, by_hand, by_hand, by_vfork,
                                                    by_posix_spawn, by_system, by_popen, by_daemon};
    struct random random = {(uintptr_t)seed};
    while (__atomic_load_n(&s_count->forks, __ATOMIC_RELAXED) < s_wanted) {
        count(&s_count->forks);
        ways[below(&random, sizeof ways / sizeof *ways)](&random);
        beat();
    }
    return NULL;
}

/* ---- threads that are in the middle of something while others fork ---- */

static void *hammer(void *seed)
{
    static int s_number;
    struct random random = {(uintptr_t)seed};
    struct model *model = calloc(1, sizeof *model);
    struct model_file file = {0};
    char path[256];
    name_of(path, "hammer", __atomic_fetch_add(&s_number, 1, __ATOMIC_RELAXED));
    model_open(&file, path);
    while (!s_is_over) {
        model_run(model, &file, model_draw(model, &random, 60000));
        count(&s_count->turns);
    }
    model_close(&file);
    model_verify(model, path, 16384);
    return NULL;
}

/* Threads that end: the runtime's work at the end of a thread must not be cut in two by a fork either. */
static void *churn(void *seed)
{
    struct random random = {(uintptr_t)seed};
    while (!s_is_over) {
        start_threads(&random, 3);
        usleep(300);
    }
    return NULL;
}

/* ---- signals ---- */

static void on_signal(int number)
{
    int error = errno;
    (void)number;
    struct random random = {__atomic_fetch_add(&s_count->signals, 1, __ATOMIC_RELAXED) * 77};
    unsigned char mark[NOTE_SIZE];
    uint64_t slot = below(&random, 3000);
    fill(mark, sizeof mark, slot, 0);
    look_at_base(s_base, &random);
    pwrite_all(s_marks, mark, sizeof mark, slot * NOTE_SIZE);
    if (chance(&random, 10))
        look_at_base_by_name(&random);
    errno = error;
}

static void storm(bool is_on)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    struct itimerval often = {{0, is_on ? 1000 : 0}, {0, is_on ? 1000 : 0}};
    must(setitimer(ITIMER_REAL, &often, NULL) == 0);
    must(setitimer(ITIMER_PROF, &often, NULL) == 0);
}

/* Handlers of the program's own around its forks. */
static void around_fork(void) { add_note(); }

/* ---- at the end ---- */

static void verify_notes(void)
{
    uint64_t size = s_count->notes * NOTE_SIZE;
    unsigned char *bytes = malloc(size + 1), *seen = calloc(1, s_count->notes);
    if (pread_all(s_base + 0, bytes, 1, 0) != 1 || lseek(s_notes, 0, SEEK_END) != (off_t)size)
        fail("notes: %lld bytes, not %llu", (long long)lseek(s_notes, 0, SEEK_END), (unsigned long long)size);
    char path[256];
    name_of(path, "notes", 0);
    int fd = open(path, O_RDONLY);
    must(fd >= 0 && pread_all(fd, bytes, size + 1, 0) == size);
    for (uint64_t at = 0; at < size; at += NOTE_SIZE) {
        uint64_t number;
        memcpy(&number, bytes + at, 8);
        if (number >= s_count->notes || seen[number]++ || check(bytes + at + 8, NOTE_SIZE - 8, number, 0) != NOTE_SIZE - 8)
            fail("notes: a wrong one, or one twice, at %llu", (unsigned long long)at);
    }
    close(fd);
    free(bytes);
    free(seen);
}

static void verify_marks(void)
{
    unsigned char mark[NOTE_SIZE], zeros[NOTE_SIZE] = {0};
    for (uint64_t slot = 0; slot < 3000; slot++) {
        size_t size = pread_all(s_marks, mark, sizeof mark, slot * NOTE_SIZE);
        if (size != 0 && check(mark, size, slot, 0) != size && memcmp(mark, zeros, size) != 0)
            fail("marks: wrong bytes in slot %llu", (unsigned long long)slot);
    }
}

static void make_files(void)
{
    unsigned char *bytes = malloc(BASE_SIZE);
    char path[256];
    fill(bytes, BASE_SIZE, BASE_TAG, 0);
    name_of(path, "base", 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    must(fd >= 0);
    write_all(fd, bytes, BASE_SIZE);
    must(close(fd) == 0);
    must((s_base = open(path, O_RDONLY)) >= 0);
    name_of(path, "notes", 0);
    must((s_notes = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600)) >= 0);
    name_of(path, "marks", 0);
    must((s_marks = open(path, O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
    free(bytes);
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 2) {
        fprintf(stderr, "usage: forks DIRECTORY\n");
        return 2;
    }
    s_program = arguments[0];
    s_directory = arguments[1];
    torture_name = "forks";
    torture_seed = setting("TORTURE_SEED", 1);
    if (argument_count == 3) { // the program that a child became
        struct random random = {strtoull(arguments[2], NULL, 10)};
        look_at_base_by_name(&random);
        write_own_file(&random, "program", getpid());
        return 0;
    }
    struct random random = {torture_seed};
    s_wanted = setting("TORTURE_FORKS", 500);
    s_count = shared_memory(4096);
    make_files();
    pthread_atfork(around_fork, around_fork, around_fork);
    pthread_t hammers[HAMMERS + 1], forkers[FORKERS];
    for (int i = 0; i < HAMMERS; i++)
        must(pthread_create(&hammers[i], NULL, hammer, (void *)draw(&random)) == 0);
    must(pthread_create(&hammers[HAMMERS], NULL, churn, (void *)draw(&random)) == 0);
    if (setting("TORTURE_STORM", 0))
        storm(true);
    for (int i = 0; i < FORKERS; i++)
        must(pthread_create(&forkers[i], NULL, forker, (void *)draw(&random)) == 0);
    for (int i = 0; i < FORKERS; i++)
        must(pthread_join(forkers[i], NULL) == 0);
    storm(false);
    s_is_over = 1;
    for (int i = 0; i <= HAMMERS; i++)
        must(pthread_join(hammers[i], NULL) == 0);
    verify_notes();
    verify_marks();
    printf("%llu forks, %llu threads that ended, %llu signals, %llu calls by %d hammering threads\n",
           (unsigned long long)s_count->forks, (unsigned long long)s_count->threads, (unsigned long long)s_count->signals,
           (unsigned long long)s_count->turns, HAMMERS);
    return 0;
}
