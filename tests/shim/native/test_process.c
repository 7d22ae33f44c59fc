/* Children made in every way libc knows, with each call going through the filter and vfork made a fork. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static unsigned long s_seen[OVERLAY_NUMBER_LIMIT];
static int s_prepared, s_parents, s_children, s_atfork;

/* vfork as fork: the child returns on its own copy of this stack; CLONE_VFORK makes the parent wait as it expects to. */
GENERAL_REGISTERS static long fork_instead(struct overlay_call *call)
{
    s_prepared++;
    call->result = overlay_raw_syscall6(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0, 0);
    if (call->result == 0)
        s_children++;
    else
        s_parents++;
    return HANDLED;
}

GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    s_seen[call->number]++;
    return call->number == SYS_vfork ? fork_instead(call) : PASS_ON;
}

static int wait_for(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The frame must survive the child's returning into it and calling on: with a real vfork the child would change it. */
__attribute__((noinline)) static void vfork_and_exec(void)
{
    volatile int in_memory = 1;
    pid_t pid = vfork();
    if (pid == 0) {
        in_memory = 2;
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(99);
    }
    CHECK(pid > 0);
    CHECK(in_memory == 1);    /* the child's memory is its own */
    CHECK(wait_for(pid) == 7);
}

static void vfork_waits_for_exec(void)
{
    int ends[2];
    char byte;
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    pid_t pid = vfork();
    if (pid == 0) {
        usleep(50000);
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        execl("/bin/true", "true", (char *)NULL);
        _exit(99);
    }
    CHECK(read(ends[0], &byte, 1) == 1);    /* the child had its turn first */
    CHECK(wait_for(pid) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void vfork_fails_like_vfork(void)
{
    errno = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/nonexistent/program", "x", (char *)NULL);
        _exit(errno == ENOENT ? 5 : 6);
    }
    CHECK(wait_for(pid) == 5);
    CHECK(errno == 0);
}

static void before_fork(void) { s_atfork++; }

static void fork_and_wait(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(gettid() == getpid() && s_atfork == 1 ? 9 : 10);
    CHECK(wait_for(pid) == 9);
    CHECK(s_seen[SYS_clone] > 0 || s_seen[SYS_fork] > 0);
}

static void spawn(void)
{
    extern char **environ;
    char *arguments[] = { "sh", "-c", "test -e /proc/self/fd/37; exit $?", NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 37, "/dev/null", O_RDONLY, 0) == 0);
    CHECK(posix_spawnp(&pid, "sh", &actions, NULL, arguments, environ) == 0);
    CHECK(wait_for(pid) == 0);
    CHECK(posix_spawn(&pid, "/nonexistent/program", NULL, NULL, arguments, environ) == ENOENT);
    posix_spawn_file_actions_destroy(&actions);
    CHECK(s_seen[SYS_clone3] > 0 || s_seen[SYS_clone] > 1);
}

static void through_the_shell(void)
{
    char line[32] = "";
    CHECK(WEXITSTATUS(system("exit 3")) == 3);
    FILE *pipe = popen("echo from popen", "r");
    CHECK(pipe && fgets(line, sizeof line, pipe) && strcmp(line, "from popen\n") == 0);
    CHECK(pclose(pipe) == 0);
}

static int on_new_stack(void *argument)
{
    return *(int *)argument + (write(-1, "", 0) == -1 && errno == EBADF);
}

static void raw_clone(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int value = 20;
    pid_t pid = clone(on_new_stack, stack + sizeof stack, CLONE_VM | SIGCHLD, &value);
    CHECK(pid > 0 && wait_for(pid) == 21);
}

static void *in_thread(void *argument)
{
    vfork_and_exec();
    through_the_shell();
    return argument;
}

static void from_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, in_thread, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)(intptr_t)i);
    }
}

int main(void)
{
    install(-1);
    pthread_atfork(before_fork, NULL, NULL);
    vfork_and_exec();
    CHECK(s_seen[SYS_vfork] == 1 && s_prepared == 1 && s_parents == 1 && s_children == 0);
    vfork_waits_for_exec();
    vfork_fails_like_vfork();
    fork_and_wait();
    spawn();
    through_the_shell();
    raw_clone();
    from_threads();
    printf("children made\n");
    return 0;
}
