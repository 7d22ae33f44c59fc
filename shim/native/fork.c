#include "fork.h"

#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "gate.h"
#include "syscalls.h"

/* As the engine's own (Descriptors.cs). */
#define HIGH_DESCRIPTOR 768

/* Set from libc's prepare handlers to its other ones. */
static __thread int t_is_load_held __attribute__((tls_model("initial-exec")));
static __thread uint64_t t_mask_before __attribute__((tls_model("initial-exec")));

static void set_signal_mask(uint64_t mask, uint64_t *before)
{
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)before, 8, 0, 0);
}

/* A handler that loaded the engine, or came to the gate, would wait for its own thread: none runs until the fork is over. */
static void before_fork(void)
{
    uint64_t before;
    set_signal_mask(~0UL, &before);
    engine_hold_load();
    t_mask_before = before;
    t_is_load_held = 1;
}

static void after_fork(void)
{
    uint64_t before = t_mask_before;
    t_is_load_held = 0;
    engine_release_load();
    set_signal_mask(before, NULL);
}

/* In a vfork's child: the pipe at whose end of file its parent goes on. */
static int s_exec_notice = -1;

static void in_child(void)
{
    if (s_exec_notice >= 0) { /* our parent is such a child: its own parent waits for it, not for us */
        fd_reserve(s_exec_notice, 0);
        sys_close(s_exec_notice);
        s_exec_notice = -1;
    }
    engine_in_child();
}

void fork_watch(void)
{
    /*
     * libc runs prepare handlers in reverse order, so ours, the first, is the last: the program's own may still use files. It then
     * takes the allocator's locks, which loading the engine needs. The gate is closed after that, at the call itself: until then a
     * thread that has such a lock may run a handler that uses a file, and libc waits for that thread.
     */
    pthread_atfork(before_fork, after_fork, after_fork);
}

/* The copy, with the gate closed and signals blocked. */
static long copy(long number, const long *arguments)
{
    gate_close();
    long child = overlay_raw_syscall6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], 0);
    if (child == 0)
        in_child();
    else
        gate_open_in_parent();
    return child;
}

static int fork_here(struct overlay_call *call, long number)
{
    bool is_libcs = t_is_load_held != 0;
    if (!is_libcs)
        before_fork();
    long child = copy(number, call->args);
    if (!is_libcs)
        after_fork();
    return answer(call, child);
}

int on_fork(struct overlay_call *call)
{
    return fork_here(call, SYS_fork);
}

/* A pipe out of the way of low numbers, where there is room. */
static bool make_notice(int ends[2])
{
    if (overlay_raw_syscall6(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        long high = sys_fcntl(ends[i], F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
        if (high < 0)
            continue;
        sys_close(ends[i]);
        ends[i] = (int)high;
    }
    return true;
}

/*
 * As a fork: the child would share our memory and spoil the descriptor table (design 4). The parent waits for the child's exec or
 * end as it expects to, which it learns from a pipe; CLONE_VFORK would keep the gate closed to its other threads meanwhile.
 */
int on_vfork(struct overlay_call *call)
{
    int ends[2];
    if (!make_notice(ends))
        return fork_here(call, SYS_fork);
    before_fork();
    const long none[5] = {0};
    long child = copy(SYS_fork, none);
    if (child == 0) {
        sys_close(ends[0]);
        s_exec_notice = ends[1];
        fd_reserve(ends[1], 1);
        after_fork();
        return answer(call, 0);
    }
    sys_close(ends[1]);
    uint64_t before = t_mask_before;
    t_mask_before = ~0UL;
    after_fork();
    char byte;
    if (child > 0)
        overlay_raw_syscall6(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0);
    sys_close(ends[0]);
    set_signal_mask(before, NULL);
    return answer(call, child);
}

/* libc's fork, or a copy made by hand; threads and posix_spawn share memory and pass. */
int on_clone(struct overlay_call *call)
{
    bool is_copy = (call->args[0] & CLONE_VM) == 0 && call->args[1] == 0;
    return is_copy ? fork_here(call, SYS_clone) : PASS;
}

int on_clone3(struct overlay_call *call)
{
    const struct clone_args *asked = (const struct clone_args *)call->args[0];
    if (is_bad_pointer(call->args[0]) || call->args[1] < (long)CLONE_ARGS_SIZE_VER0)
        return PASS;
    bool is_copy = (asked->flags & CLONE_VM) == 0 && asked->stack == 0;
    return is_copy ? fork_here(call, SYS_clone3) : PASS;
}
