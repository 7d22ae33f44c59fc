/* threads: every way in which a thread or a process comes to be has its calls trapped, from its first instruction on. */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "raw.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000UL
#endif

extern char **environ;

/* A file by raw calls alone: were one not trapped, it would be plaintext, or the next would see ciphertext. */
static int make_file(const char *name)
{
    char text[100], back[100];
    int length = snprintf(text, sizeof text, "made as %s, which must not be found\n", name);
    long fd = raw(SYS_open, (long)name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    int is_good = fd >= 0 && raw(SYS_write, fd, (long)text, length) == length && raw(SYS_pread64, fd, (long)back, length, 0) == length &&
                  memcmp(text, back, (size_t)length) == 0;
    return is_good && raw(SYS_close, fd) == 0 ? 0 : 1;
}

static void wait_for(pid_t child)
{
    int status;
    CHECK(child > 0 && waitpid(child, &status, __WALL) == child && status == 0);
}

static void *thread_main(void *name)
{
    for (int i = 0; i < 20; i++)
        CHECK(make_file(name) == 0);
    return NULL;
}

static int clone_main(void *name) { return make_file(name); }

static void libc_threads(void)
{
    pthread_t threads[4];
    char names[4][16];
    for (int i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "thread%d", i);
        CHECK(pthread_create(&threads[i], NULL, thread_main, names[i]) == 0);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void libc_processes(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(make_file("fork") + (fork() == 0 ? make_file("fork2") : (wait(NULL), 0)));
    wait_for(child);
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    wait_for(clone(clone_main, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, "clone-vfork"));
    wait_for(clone(clone_main, stack + 65536, SIGCHLD, "clone-copy"));
    wait_for(clone(clone_main, stack + 65536, CLONE_VM | SIGCHLD, "clone-vm"));
    CHECK(make_file("after") == 0);
    munmap(stack, 65536);
    char *arguments[] = {"threads", "spawned", NULL};
    CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
    wait_for(child);
}

/* The same by raw calls. */
static void raw_processes(void)
{
    long child = raw(SYS_fork);
    if (child == 0)
        raw(SYS_exit_group, make_file("raw-fork"));
    wait_for((pid_t)child);
    child = raw(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        raw(SYS_exit_group, make_file("raw-clone"));
    wait_for((pid_t)child);
    struct clone_args copying = {.exit_signal = SIGCHLD};
    child = raw(SYS_clone3, (long)&copying, sizeof copying);
    if (child == 0)
        raw(SYS_exit_group, make_file("raw-clone3"));
    wait_for((pid_t)child);
    copying.flags = CLONE_CLEAR_SIGHAND; /* as posix_spawn does since glibc 2.38: the trap's handler, too */
    child = raw(SYS_clone3, (long)&copying, sizeof copying);
    if (child == 0)
        raw(SYS_exit_group, make_file("raw-no-handlers"));
    wait_for((pid_t)child);
}

static volatile int s_go;

/* start_on(stack, flags): a raw clone whose child calls child_main on its own stack. Answers in the parent only. */
static void child_main(void) { raw(SYS_exit, make_file("raw-stack") + (s_go == 1 ? 0 : 8)); }

static long start_on(char *stack, long flags)
{
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long result;
    __asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n call *%[main]\n ud2\n 1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8), [main] "r"(child_main)
                     : "rcx", "r11", "memory");
    return result;
}

static void raw_stacks(void)
{
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s_go = 1;
    wait_for((pid_t)start_on(stack + 65536, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD));
    wait_for((pid_t)start_on(stack + 65536, SIGCHLD));
    wait_for((pid_t)start_on(stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD));
    munmap(stack, 65536);
}

/* As Go starts a program: the child is on its parent's stack, and the return address is kept in a register meanwhile. */
__attribute__((noinline, naked)) static long vfork_here(long flags)
{
    (void)flags;
    __asm__("pop %r9; xor %esi, %esi; xor %edx, %edx; xor %r10d, %r10d; xor %r8d, %r8d; mov $56, %eax; syscall; push %r9; ret");
}

static void raw_vfork(void)
{
    long child = vfork_here(CLONE_VM | CLONE_VFORK | SIGCHLD);
    if (child == 0) {
        char *arguments[] = {"threads", "raw-vfork", NULL};
        raw(SYS_execve, (long)"/proc/self/exe", (long)arguments, (long)environ);
        raw(SYS_exit_group, 9);
    }
    wait_for((pid_t)child);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return make_file(arguments[1]);
    libc_threads();
    libc_processes();
    raw_processes();
    raw_stacks();
    raw_vfork();
    puts("threads");
    return 0;
}
