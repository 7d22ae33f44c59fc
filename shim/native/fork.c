#include "fork.h"

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>

#include "borrowed.h"
#include "calls.h"
#include "engine_call.h"
#include "engine_load.h"
#include "fdtable.h"
#include "gate.h"
#include "helper.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "trampoline_offsets.h"
#include "trap.h"

/* From libc's prepare handlers to its other ones: the thread's id. (Who borrows our memory may die there; the id is not ours then.) */
static __thread long t_forking __attribute__((tls_model("initial-exec")));
static __thread uint64_t t_mask_before __attribute__((tls_model("initial-exec")));

static void set_signal_mask(uint64_t mask, uint64_t *before)
{
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)before, 8, 0, 0);
}

static long thread_id(void)
{
    return overlay_raw_syscall6(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* A handler that loaded the engine, or came to the gate, would wait for its own thread: none runs until the fork is over. */
static void before_fork(void)
{
    uint64_t before;
    set_signal_mask(overlay_all_signals, &before);
    if (!is_borrowed_memory()) /* who borrows it takes no lock there: it may be killed */
        engine_hold_load();
    t_mask_before = before;
    t_forking = thread_id();
}

static void after_fork(void)
{
    uint64_t before = t_mask_before;
    t_forking = 0;
    if (!is_borrowed_memory())
        engine_release_load();
    signals_give_back(before);
}

/* In a vfork's child: the pipe at whose end of file its parent goes on. */
static int s_exec_notice = -1;

int overlay_fork_count;

static void in_child(void)
{
    if (s_exec_notice >= 0) { /* our parent is such a child: its own parent waits for it, not for us */
        fd_reserve(s_exec_notice, 0);
        sys_close(s_exec_notice);
        s_exec_notice = -1;
    }
    if (overlay_traps != 0)
        trap_begin_thread();
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

long fork_copy(long number, const long arguments[5])
{
    bool is_borrowed = is_borrowed_memory();
    __atomic_add_fetch(&overlay_fork_count, 1, __ATOMIC_RELAXED);
    if (is_borrowed)
        gate_close_as_borrower();
    else
        gate_close();
    if (!is_borrowed)
        helper_end();
    long child = overlay_raw_syscall6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], 0);
    if (child == 0)
        in_child();
    else if (is_borrowed)
        gate_open_as_borrower();
    else
        gate_open();
    return child;
}

/* The slot comes back to the program over the stack: lets it do so on another one (trampoline.S: FRAME_STACK, 136). */
static void continue_on(struct overlay_call *call, uintptr_t stack)
{
    uintptr_t **frame = (uintptr_t **)((char *)call + FRAME_STACK);
    uintptr_t *there = (uintptr_t *)(stack - 136);
    *there = **frame;
    *frame = there;
}

static int clone_here(struct overlay_call *call, long number, const long arguments[5], uintptr_t stack)
{
    bool is_libcs = t_forking == thread_id();
    if (!is_libcs)
        before_fork();
    long child = fork_copy(number, arguments);
    if (!is_libcs)
        after_fork();
    if (child == 0 && stack != 0)
        continue_on(call, stack);
    return answer(call, child);
}

static int fork_here(struct overlay_call *call, long number)
{
    return clone_here(call, number, call->args, 0);
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
static int vfork_here(struct overlay_call *call, long number, const long arguments[5])
{
    int ends[2];
    if (!make_notice(ends))
        return clone_here(call, number, arguments, 0);
    before_fork();
    long child = fork_copy(number, arguments);
    if (child == 0) {
        sys_close(ends[0]);
        s_exec_notice = ends[1];
        fd_reserve(ends[1], 1);
        after_fork();
        return answer(call, 0);
    }
    sys_close(ends[1]);
    uint64_t before = t_mask_before;
    t_mask_before = overlay_all_signals;
    after_fork();
    char byte;
    if (child > 0)
        overlay_raw_syscall6(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0);
    sys_close(ends[0]);
    signals_give_back(before);
    return answer(call, child);
}

int on_vfork(struct overlay_call *call)
{
    return vfork_here(call, SYS_fork, call->args);
}

/* What vfork is to the kernel, as Go calls it: on its parent's own stack. */
static bool is_vfork(unsigned long flags, uintptr_t stack)
{
    return (flags & (CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == (CLONE_VM | CLONE_VFORK) && stack == 0;
}

/* posix_spawn: its child has our memory, but must not run the engine there. */
static void before_sharing(unsigned long flags)
{
    bool is_process = (flags & CLONE_VM) != 0 && (flags & CLONE_THREAD) == 0;
    if (!is_process || is_borrowed_memory())
        return;
    __atomic_add_fetch(&overlay_fork_count, 1, __ATOMIC_RELAXED);
    borrowed_expect();
}

/* libc's fork (its handlers have run), or a copy made by hand. */
int on_clone(struct overlay_call *call)
{
    unsigned long flags = (unsigned long)call->args[0];
    if (is_vfork(flags, (uintptr_t)call->args[1])) {
        const long copying[5] = {call->args[0] & ~(CLONE_VM | CLONE_VFORK), 0, call->args[2], call->args[3], call->args[4]};
        return vfork_here(call, SYS_clone, copying);
    }
    before_sharing(flags);
    if ((flags & (CLONE_VM | CLONE_SETTLS)) != 0)
        return overlay_traps != 0 ? TRAP : PASS;
    const long arguments[5] = {call->args[0], 0, call->args[2], call->args[3], call->args[4]};
    return clone_here(call, SYS_clone, arguments, (uintptr_t)call->args[1]);
}

/* The kernel refuses it otherwise; we would go on there in the child. */
static bool is_a_stack(const struct clone_args *asked)
{
    const uint64_t user_end = 0x7ffffffff000;
    return asked->stack == 0 ? asked->stack_size == 0
                             : asked->stack_size != 0 && asked->stack_size <= user_end && asked->stack <= user_end - asked->stack_size;
}

int on_clone3(struct overlay_call *call)
{
    const struct clone_args *asked = (const struct clone_args *)call->args[0];
    if (!can_read(asked, CLONE_ARGS_SIZE_VER0) || call->args[1] < (long)CLONE_ARGS_SIZE_VER0 || !is_a_stack(asked))
        return PASS;
    bool is_as_vfork = is_vfork(asked->flags, asked->stack);
    if (!is_as_vfork) {
        before_sharing(asked->flags);
        if ((asked->flags & (CLONE_VM | CLONE_SETTLS)) != 0)
            return overlay_traps != 0 ? TRAP : PASS;
        if (asked->stack == 0)
            return fork_here(call, SYS_clone3);
    }
    struct clone_args copy;
    if ((size_t)call->args[1] > sizeof copy)
        return answer(call, -E2BIG);
    text_copy((char *)&copy, (const char *)asked, (size_t)call->args[1]);
    copy.stack = copy.stack_size = 0;
    const long arguments[5] = {(long)&copy, call->args[1]};
    if (is_as_vfork) {
        copy.flags &= ~(uint64_t)(CLONE_VM | CLONE_VFORK);
        return vfork_here(call, SYS_clone3, arguments);
    }
    return clone_here(call, SYS_clone3, arguments, asked->stack + asked->stack_size);
}
