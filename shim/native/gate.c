#include "gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>

/* The number of engine calls under way, plus GATE_CLOSED while a fork is under way. */
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

void gate_enter(void)
{
    for (;;) {
        int seen = __atomic_load_n(&s_gate, __ATOMIC_RELAXED);
        if ((seen & GATE_CLOSED) != 0)
            futex_wait(&s_gate, seen);
        else if (__atomic_compare_exchange_n(&s_gate, &seen, seen + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
    }
}

void gate_leave(void)
{
    if (__atomic_sub_fetch(&s_gate, 1, __ATOMIC_RELEASE) == GATE_CLOSED)
        futex_wake(&s_gate);
}

void gate_close(void)
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

void gate_open_in_parent(void)
{
    __atomic_and_fetch(&s_gate, ~GATE_CLOSED, __ATOMIC_RELEASE);
    futex_wake(&s_gate);
}

void gate_open_in_child(void)
{
    s_gate = 0;
}

void lock_take(int *lock)
{
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0)
        futex_wait(lock, 1);
}

void lock_give(int *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
    futex_wake(lock);
}
