/*
 * spawn_kill DIRECTORY: children that share our memory (posix_spawn, and clone as it does) open, replace and close sealed files and
 * write to them, and are killed at random instants. Meanwhile and afterwards we write: the case looks whether anything of it is
 * plaintext on the disk. TORTURE_SPAWNS: how many children.
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define SPAWNERS 2
#define STACK_SIZE (64 << 10)
static const char s_marker[] = "PLAINTEXT-OF-THE-TORTURE ";
static const char *s_directory;
static volatile int s_is_over;
static long s_spawned, s_killed, s_files, s_wanted;

struct spawner {
    struct random random;
    int number;
    volatile pid_t child;   /* written by the kernel before a child by clone runs */
    volatile pid_t spawner; /* the thread whose children are to be killed; 0: none */
    char base[256], out[256];
};
static struct spawner s_spawners[SPAWNERS];

static void write_marked(int fd)
{
    char line[3000];
    for (size_t at = 0; at < sizeof line; at++)
        line[at] = s_marker[at % (sizeof s_marker - 1)];
    write_all(fd, line, sizeof line);
}

/* A new file, written and read again: what follows each kill. */
static void write_new(struct spawner *self, const char *kind)
{
    char path[300], found[3000];
    snprintf(path, sizeof path, "%s/%s.%d.%ld", s_directory, kind, self->number, __atomic_fetch_add(&s_files, 1, __ATOMIC_RELAXED));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    must(fd >= 0);
    write_marked(fd);
    if (pread(fd, found, sizeof found, 0) != (ssize_t)sizeof found || memcmp(found, s_marker, sizeof s_marker - 1) != 0)
        fail("%s: wrong bytes", path);
    must(close(fd) == 0);
    if (chance(&self->random, 70)) /* the others are looked at on the disk */
        must(unlink(path) == 0);
}

/* In our memory: only calls. */
static int life(void *argument)
{
    struct spawner *self = argument;
    char bytes[200];
    for (int i = 0; i < 3; i++) {
        int fd = syscall(SYS_openat, AT_FDCWD, self->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int in = open(self->base, O_RDONLY);
        if (fd < 0 || in < 0 || dup2(fd, 60) != 60)
            _exit(3);
        if (write(60, s_marker, sizeof s_marker - 1) < 0 || read(in, bytes, sizeof bytes) < 0)
            _exit(4);
        close(fd);
        close(in);
    }
    _exit(0);
}

static pid_t by_clone(struct spawner *self, char *stack)
{
    return clone(life, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, self, (pid_t *)&self->child);
}

static pid_t by_posix_spawn(struct spawner *self)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, self->base, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 9, self->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 9, 1);
    posix_spawn_file_actions_addclose(&actions, 9);
    char *const arguments[] = {"true", NULL};
    pid_t child = -1;
    posix_spawn(&child, "/bin/true", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void *spawner(void *argument)
{
    struct spawner *self = argument;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(stack != MAP_FAILED);
    while (__atomic_add_fetch(&s_spawned, 1, __ATOMIC_RELAXED) <= s_wanted) {
        int status = 0;
        self->child = 0;
        self->spawner = (pid_t)syscall(SYS_gettid);
        pid_t child = chance(&self->random, 60) ? by_clone(self, stack) : by_posix_spawn(self);
        self->spawner = 0;
        write_new(self, "after");
        if (child > 0) {
            must(waitpid(child, &status, 0) == child);
            if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
                fail("a child ended with status %x", status);
        }
        if (WIFSIGNALED(status))
            __atomic_fetch_add(&s_killed, 1, __ATOMIC_RELAXED);
        if (chance(&self->random, 10)) { /* and a copy of it all still works */
            pid_t copy = fork();
            must(copy >= 0);
            if (copy == 0) {
                write_new(self, "copied");
                _exit(0);
            }
            must(waitpid(copy, &status, 0) == copy && status == 0);
        }
        beat();
    }
    munmap(stack, STACK_SIZE);
    return NULL;
}

/* The child that the kernel knows of: posix_spawn does not say it before its exec. */
static pid_t child_of(pid_t thread)
{
    char path[100], text[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", thread);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    return size > 0 ? atoi(text) : 0;
}

static void *killer(void *seed)
{
    struct random random = {(uintptr_t)seed};
    while (!s_is_over) {
        struct spawner *victim = &s_spawners[below(&random, SPAWNERS)];
        struct timespec pause = {0, (long)skewed(&random, 8000000)};
        pid_t thread = victim->spawner, child;
        if (thread == 0 || ((child = victim->child) == 0 && (child = child_of(thread)) == 0))
            continue;
        nanosleep(&pause, NULL);
        if (victim->spawner == thread && (child == victim->child || child == child_of(thread)))
            kill(child, SIGKILL);
    }
    return NULL;
}

static void *hammer(void *argument)
{
    struct spawner self = {.random = {(uintptr_t)argument}, .number = 99};
    while (!s_is_over)
        write_new(&self, "beside");
    return NULL;
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: spawn_kill DIRECTORY\n");
        return 2;
    }
    s_directory = arguments[1];
    torture_name = "spawn_kill";
    torture_seed = setting("TORTURE_SEED", 1);
    s_wanted = (long)setting("TORTURE_SPAWNS", 300);
    struct random random = {torture_seed};
    pthread_t spawners[SPAWNERS], others[2];
    for (int i = 0; i < SPAWNERS; i++) {
        struct spawner *self = &s_spawners[i];
        self->number = i;
        self->random.state = draw(&random);
        snprintf(self->base, sizeof self->base, "%s/base.%d", s_directory, i);
        snprintf(self->out, sizeof self->out, "%s/out.%d", s_directory, i);
        int fd = open(self->base, O_WRONLY | O_CREAT | O_EXCL, 0600);
        must(fd >= 0);
        write_marked(fd);
        must(close(fd) == 0);
    }
    must(pthread_create(&others[0], NULL, killer, (void *)draw(&random)) == 0);
    must(pthread_create(&others[1], NULL, hammer, (void *)draw(&random)) == 0);
    for (int i = 0; i < SPAWNERS; i++)
        must(pthread_create(&spawners[i], NULL, spawner, &s_spawners[i]) == 0);
    for (int i = 0; i < SPAWNERS; i++)
        must(pthread_join(spawners[i], NULL) == 0);
    s_is_over = 1;
    for (int i = 0; i < 2; i++)
        must(pthread_join(others[i], NULL) == 0);
    must(s_killed > 0);
    printf("%ld children, %ld of them killed, %ld files\n", s_wanted, s_killed, s_files);
    return 0;
}
