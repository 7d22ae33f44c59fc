#include "engine_call.h"

#include <linux/futex.h>
#include <signal.h>

#include "engine_load.h"
#include "syscalls.h"

__thread int overlay_in_engine __attribute__((tls_model("initial-exec")));
int overlay_own_pid;

static int s_is_fresh_child;   /* the next engine call is the first of a forked child */
static int s_greet_lock;       /* 0 free, 1 held; only the gate may be held when it is taken */

/* Gate word: the number of engine calls under way, plus GATE_CLOSED while a fork is under way. */
#define GATE_CLOSED 0x40000000
static int s_gate;

static void futex_wait(int *word, int value)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, 0, 0, 0);
}

static void futex_wake(int *word)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0, 0, 0);
}

void engine_gate_enter(void)
{
    for (;;) {
        int seen = __atomic_load_n(&s_gate, __ATOMIC_RELAXED);
        if ((seen & GATE_CLOSED) != 0)
            futex_wait(&s_gate, seen);
        else if (__atomic_compare_exchange_n(&s_gate, &seen, seen + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
    }
}

void engine_gate_leave(void)
{
    if (__atomic_sub_fetch(&s_gate, 1, __ATOMIC_RELEASE) == GATE_CLOSED)
        futex_wake(&s_gate);
}

void engine_gate_close(void)
{
    /* Two threads may fork at once: the second waits until the first has opened the gate again. */
    for (;;) {
        int seen = __atomic_load_n(&s_gate, __ATOMIC_RELAXED);
        if ((seen & GATE_CLOSED) != 0)
            futex_wait(&s_gate, seen);
        else if (__atomic_compare_exchange_n(&s_gate, &seen, seen | GATE_CLOSED, true, __ATOMIC_ACQUIRE,
                                             __ATOMIC_RELAXED))
            break;
    }
    for (int seen; (seen = __atomic_load_n(&s_gate, __ATOMIC_ACQUIRE)) != GATE_CLOSED;)
        futex_wait(&s_gate, seen);
}

void engine_gate_open_in_parent(void)
{
    __atomic_and_fetch(&s_gate, ~GATE_CLOSED, __ATOMIC_RELEASE);
    futex_wake(&s_gate);
}

/* A thread that ends comes here from the runtime's destructor; it runs no handler of the program's any more. */
void engine_enter_for_thread_end(void)
{
    const uint64_t all = ~0UL;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0, 0);
    engine_gate_enter();
    overlay_in_engine++;
}

void engine_leave_for_thread_end(void)
{
    overlay_in_engine--;
    engine_gate_leave();
}

void engine_gate_open_in_child(void)
{
    s_gate = 0;
    s_greet_lock = 0;
    engine_load_in_child();
    s_is_fresh_child = engine_is_loaded();
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* By the first thread of the child that comes; the others wait, since they would use the parent's connection and locks. */
static void greet_child(void)
{
    while (__atomic_exchange_n(&s_greet_lock, 1, __ATOMIC_ACQUIRE) != 0)
        futex_wait(&s_greet_lock, 1);
    if (s_is_fresh_child != 0) {
        overlay_engine.after_fork();
        __atomic_store_n(&s_is_fresh_child, 0, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&s_greet_lock, 0, __ATOMIC_RELEASE);
    futex_wake(&s_greet_lock);
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
    long (*entry)(long, long, long, long, long, long, long) = *(long (**)(long, long, long, long, long, long, long))
                                                                   invocation->entry;
    invocation->result = entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

long engine_invoke(void *const *entry, const long arguments[7])
{
    /* A handler may call write or siglongjmp away: none runs while managed code does. */
    const uint64_t blocked = ~0ULL;
    uint64_t before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&before, 8, 0, 0);
    struct invocation invocation = {entry, arguments, engine_ensure_loaded()};
    if (invocation.result == 0) {
        engine_gate_enter();
        overlay_in_engine++;
        overlay_with_vector_state_saved(run, &invocation);
        overlay_in_engine--;
        engine_gate_leave();
    }
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
    return invocation.result;
}
