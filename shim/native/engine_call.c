#include "engine_call.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>

#include "engine_load.h"
#include "syscalls.h"

__thread int overlay_in_engine __attribute__((tls_model("initial-exec")));
int overlay_own_pid;

static int s_is_fresh_child;   /* the next engine call is the first of a forked child */

/*
 * A CLONE_VM child (posix_spawn) shares our memory, but not our descriptors: those that the engine opens there are strays, of which
 * nobody else has but the number. Whoever comes next opens its own, as after a fork.
 */
static int s_stray_count, s_strays_of;

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

void engine_gate_open_in_child(void)
{
    s_gate = 0;
    engine_load_in_child();
    s_is_fresh_child = engine_is_loaded();
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static int own_pid(void)
{
    return (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

void engine_note_descriptor(int taken)
{
    if (!is_borrowed_memory())
        return;
    s_strays_of = own_pid();
    s_stray_count += taken ? 1 : s_stray_count > 0 ? -1 : 0;
}

static void open_own_descriptors(void)
{
    s_is_fresh_child = 0;
    overlay_engine.after_fork();
    s_strays_of = own_pid();
    s_stray_count = s_strays_of != overlay_own_pid;
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
    if (s_is_fresh_child || (s_stray_count > 0 && s_strays_of != own_pid()))
        open_own_descriptors();
    long (*entry)(long, long, long, long, long, long, long) = *(long (**)(long, long, long, long, long, long, long))
                                                                   invocation->entry;
    invocation->result = entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

long engine_invoke(void *const *entry, const long arguments[7])
{
    /* A handler may call write or siglongjmp away: none runs while managed code does. The runtime's own signal must. */
    const uint64_t blocked = ~(1ULL << (RUNTIME_SIGNAL - 1));
    uint64_t before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&before, 8, 0, 0);
    struct invocation invocation = {entry, arguments, -ELIBACC};
    if (engine_ensure_loaded()) {
        engine_gate_enter();
        overlay_in_engine++;
        overlay_with_vector_state_saved(run, &invocation);
        overlay_in_engine--;
        engine_gate_leave();
    }
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
    return invocation.result;
}
