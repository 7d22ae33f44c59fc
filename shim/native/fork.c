#include "fork.h"

#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>

#include "calls.h"
#include "engine_call.h"
#include "syscalls.h"

/* Set from prepare to parent or child: libc's fork comes to the kernel with the gate closed already. */
static __thread int t_is_gate_ours __attribute__((tls_model("initial-exec")));

static void prepare(void)
{
    engine_gate_close();
    t_is_gate_ours = 1;
}

static void in_parent(void)
{
    t_is_gate_ours = 0;
    engine_gate_open_in_parent();
}

static void in_child(void)
{
    t_is_gate_ours = 0;
    engine_gate_open_in_child();
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
    /* A signal between the copy and the opening of the gate would find it closed for good in its own thread. */
    const uint64_t all = ~0UL;
    uint64_t before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    prepare();
    long child = overlay_raw_syscall6(number, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4], 0);
    if (child == 0)
        in_child();
    else
        in_parent();
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
    return answer(call, child);
}

/* fork by number, and vfork: its child would share our memory and spoil the descriptor table (design 4). */
int on_fork(struct overlay_call *call)
{
    return fork_here(call, SYS_fork);
}

/* libc's fork (its handlers have run), or a copy made by hand; threads and posix_spawn share memory and pass. */
int on_clone(struct overlay_call *call)
{
    bool is_copy = (call->args[0] & CLONE_VM) == 0 && call->args[1] == 0;
    return is_copy && t_is_gate_ours == 0 ? fork_here(call, SYS_clone) : PASS;
}
