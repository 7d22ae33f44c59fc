#include "engine_call.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <signal.h>

#include "aio_context.h"
#include "borrowed.h"
#include "calls.h"
#include "engine_load.h"
#include "fdtable.h"
#include "gate.h"
#include "helper.h"
#include "kept.h"
#include "last_thread.h"
#include "own_stack.h"
#include "recent.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

__thread int overlay_in_engine __attribute__((tls_model("initial-exec")));
int overlay_own_pid;

static int s_child_lock; /* taken behind the gate */
static int s_is_of_borrower;
static int s_is_fresh_child; /* the next engine call is the first of a forked child */
static __thread int t_is_counted __attribute__((tls_model("initial-exec")));
static __thread int t_has_ended __attribute__((tls_model("initial-exec"))); /* the runtime ends the process if it comes again */
static __thread int t_is_prepared __attribute__((tls_model("initial-exec")));

static void set_signal_mask(uint64_t mask, uint64_t *before)
{
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)before, 8, 0, 0);
}

void engine_in_child(void)
{
    gate_reset();
    s_child_lock = 0;
    s_is_fresh_child = engine_is_loaded();
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
    fd_close_private();
    own_stacks_in_child();
    recent_in_child(t_is_counted != 0);
    kept_in_child();
    aio_contexts_in_child();
    engine_load_in_child();
    helper_in_child();
    last_thread_in_child();
}

void engine_forget_thread(void)
{
    if (t_is_counted != 0)
        recent_count_thread(-1);
    t_is_counted = 0;
    t_has_ended = 1;
}

bool engine_is_ready(void)
{
    return engine_is_loaded() && t_is_prepared != 0;
}

void engine_serve_borrower(void)
{
    s_is_of_borrower = 1;
}

/* What needs libc's allocator comes before the gate: a fork that has its locks waits there for the calls under way. */
static long prepare_thread(void)
{
    long error = engine_ensure_loaded();
    if (error == 0) {
        engine_prepare_thread();
        last_thread_begin();
        t_is_prepared = 1;
        if (t_is_counted == 0)
            recent_count_thread(1);
        t_is_counted = 1;
    }
    return error;
}

/* The first call of a new thread: later it might come here from a handler that has interrupted the allocator. */
int on_set_robust_list(struct overlay_call *call)
{
    (void)call;
    if (t_is_prepared == 0 && engine_is_loaded() && !is_borrowed_memory()) {
        uint64_t before;
        set_signal_mask(overlay_all_signals, &before);
        prepare_thread();
        signals_give_back(before);
    }
    return PASS;
}

/* By the first thread of the child that comes; the others wait, since they would use the parent's connection and locks. */
static void greet_child(void)
{
    lock_take(&s_child_lock);
    if (s_is_fresh_child != 0) {
        overlay_engine.after_fork(s_is_of_borrower);
        __atomic_store_n(&s_is_fresh_child, 0, __ATOMIC_RELEASE);
    }
    lock_give(&s_child_lock);
}

struct invocation {
    void *const *entry;
    const long *arguments;
    long result;
};

static void run(void *argument)
{
    struct invocation *invocation = argument;
    const long *a = invocation->arguments;
    if (__atomic_load_n(&s_is_fresh_child, __ATOMIC_ACQUIRE) != 0)
        greet_child();
    recent_tell();
    long (*entry)(long, long, long, long, long, long, long) = *(long (**)(long, long, long, long, long, long, long))
                                                                   invocation->entry;
    invocation->result = entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

/*
 * The engine's own calls of libc are points of cancellation: the thread would end there, with the engine's locks. Before glibc 2.41 a
 * thread in a call that can be cancelled is only sent a signal, which is held back (and enabling again would lose the thread's result).
 */
static int hold_cancellation(void)
{
    static int s_is_needed = -1;
    int before = PTHREAD_CANCEL_DISABLE;
    if (s_is_needed < 0) {
        const char *version = gnu_get_libc_version(); /* "2.36" */
        s_is_needed = text_starts(version, "2.") && ((version[2] == '4' && version[3] >= '1') || version[2] > '4') && version[3] != 0;
    }
    if (s_is_needed != 0)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static long invoke(const long *arguments)
{
    struct invocation invocation = {(void *const *)arguments[0], (const long *)arguments[1], 0};
    int cancelling = hold_cancellation();
    if (t_is_prepared != 0 || (invocation.result = prepare_thread()) == 0) {
        gate_enter();
        overlay_in_engine++;
        overlay_with_vector_state_saved(run, &invocation);
        overlay_in_engine--;
        gate_leave();
    }
    if (cancelling == PTHREAD_CANCEL_ENABLE)
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    return invocation.result;
}

long engine_invoke(void *const *entry, const long arguments[7])
{
    if (is_borrowed_memory())
        return borrowed_invoke(entry, arguments);
    if (t_has_ended != 0)
        return -EIO;
    /* The runtime clears errno, and the engine's own calls set it; for the program it is the answer of its calls that failed. */
    int *program_error = &errno, kept = *program_error;
    /* A handler may call write or siglongjmp away: none runs while managed code does. */
    long result = ON_OWN_STACK(invoke, (long)entry, (long)arguments);
    *program_error = kept;
    return result;
}
