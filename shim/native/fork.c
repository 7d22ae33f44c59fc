#include "fork.h"

#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "syscalls.h"
#include "volumes.h"

/* Set from prepare to parent or child: libc's fork comes to the kernel with the gate closed already. */
static __thread int t_is_gate_ours __attribute__((tls_model("initial-exec")));
static __thread uint64_t t_mask_before __attribute__((tls_model("initial-exec")));

static void set_signal_mask(const uint64_t *mask, uint64_t *before)
{
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)mask, (long)before, 8, 0, 0);
}

static void prepare(void)
{
    /* A handler in this thread that came to a sealed file would wait for the gate that its own thread has closed. */
    const uint64_t all = ~0UL;
    uint64_t before;
    set_signal_mask(&all, &before);
    engine_gate_close();
    t_is_gate_ours = 1;
    t_mask_before = before;
}

static void in_parent(void)
{
    uint64_t before = t_mask_before;
    t_is_gate_ours = 0;
    engine_gate_open_in_parent();
    set_signal_mask(&before, NULL);
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
    uint64_t before = t_mask_before;
    t_is_gate_ours = 0;
    engine_gate_open_in_child();
    set_signal_mask(&before, NULL);
}

void fork_watch(void)
{
    /*
     * libc runs prepare handlers in reverse order: ours, the first, is the last, so that the program's own handlers may still
     * use files; and it runs them before it takes the allocator's locks, which an engine call under way may need to finish.
     */
    pthread_atfork(prepare, in_parent, in_child);
}

static int fork_here(struct overlay_call *call, long number)
{
    prepare();
    long child = overlay_raw_syscall6(number, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4], 0);
    if (child == 0)
        in_child();
    else
        in_parent();
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
    prepare();
    uint64_t before = t_mask_before;
    long child = overlay_raw_syscall6(SYS_fork, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        sys_close(ends[0]);
        in_child();
        s_exec_notice = ends[1];
        fd_reserve(ends[1], 1);
        return answer(call, 0);
    }
    sys_close(ends[1]);
    const uint64_t all = ~0UL;
    t_mask_before = all;
    in_parent();
    char byte;
    if (child > 0)
        overlay_raw_syscall6(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0);
    sys_close(ends[0]);
    set_signal_mask(&before, NULL);
    return answer(call, child);
}

/*
 * posix_spawn: its child has our memory, but descriptors of its own. What the engine opened there for itself would be gone with the
 * child, and we would go on with the numbers: so it opens everything now.
 */
static void before_sharing(unsigned long flags)
{
    bool is_process = (flags & CLONE_VM) != 0 && (flags & CLONE_THREAD) == 0;
    if (is_process && overlay_volume_count > 0 && !is_borrowed_memory())
        ENGINE_CALL(prepare, 0);
}

/* libc's fork (its handlers have run), or a copy made by hand. */
int on_clone(struct overlay_call *call)
{
    before_sharing((unsigned long)call->args[0]);
    bool is_copy = (call->args[0] & CLONE_VM) == 0 && call->args[1] == 0;
    return is_copy && t_is_gate_ours == 0 ? fork_here(call, SYS_clone) : PASS;
}

int on_clone3(struct overlay_call *call)
{
    const struct clone_args *asked = (const struct clone_args *)call->args[0];
    if (is_bad_pointer(call->args[0]) || call->args[1] < (long)CLONE_ARGS_SIZE_VER0)
        return PASS;
    before_sharing(asked->flags);
    bool is_copy = (asked->flags & CLONE_VM) == 0 && asked->stack == 0;
    return is_copy && t_is_gate_ours == 0 ? fork_here(call, SYS_clone3) : PASS;
}
