#include "gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

/*
 * Low half: the number of engine calls under way, plus CLOSED while the process is copied, plus BORROWED if it is one that borrows our
 * memory that copies it. High half: a number that each such closing has for itself.
 */
#define CLOSED 0x40000000U
#define BORROWED 0x20000000U
static uint64_t s_gate;
static uint32_t s_closings;

/*
 * Held by the borrower that has closed the gate, or is about to: its thread id. If it is killed, the kernel puts FUTEX_OWNER_DIED here,
 * as for a robust mutex of libc's; whoever waits sees it then. (An id by itself would not do: it may be another process's by now.)
 */
static uint32_t s_borrower;
static const struct timespec s_patience = {.tv_nsec = 20000000};

static void wait_while(const void *word, uint32_t value, const struct timespec *patience)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, (long)patience, 0, 0);
}

static void wake_all(const void *word)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0, 0, 0);
}

static uint64_t gate_word(void)
{
    return __atomic_load_n(&s_gate, __ATOMIC_SEQ_CST);
}

static bool change(uint64_t seen, uint64_t next)
{
    return __atomic_compare_exchange_n(&s_gate, &seen, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The word was read before the borrower's, and mend changes it only if it is still the same: so both are of one borrower. */
static bool is_left_closed(uint64_t seen)
{
    return (seen & BORROWED) != 0 && (__atomic_load_n(&s_borrower, __ATOMIC_SEQ_CST) & FUTEX_OWNER_DIED) != 0;
}

static void mend(uint64_t seen)
{
    if (change(seen, (uint32_t)seen & ~(CLOSED | BORROWED)))
        wake_all(&s_gate);
}

static void wait_until_open(uint64_t seen)
{
    if (is_left_closed(seen))
        mend(seen);
    else
        wait_while(&s_gate, (uint32_t)seen, (seen & BORROWED) != 0 ? &s_patience : NULL);
}

void gate_enter(void)
{
    for (uint64_t seen;;) {
        if (((seen = gate_word()) & CLOSED) != 0)
            wait_until_open(seen);
        else if (change(seen, seen + 1))
            return;
    }
}

void gate_leave(void)
{
    uint64_t now = __atomic_sub_fetch(&s_gate, 1, __ATOMIC_SEQ_CST);
    if ((now & CLOSED) != 0 && ((uint32_t)now & ~(CLOSED | BORROWED)) == 0)
        wake_all(&s_gate);
}

bool gate_is_empty(void)
{
    return (uint32_t)gate_word() == 0;
}

static void close_with(uint64_t flags)
{
    /* Two may copy at once: the second waits until the first has opened the gate again. */
    for (uint64_t seen;;) {
        if (((seen = gate_word()) & CLOSED) != 0)
            wait_until_open(seen);
        else if (change(seen, (uint32_t)seen | flags))
            break;
    }
    for (uint64_t seen; (seen = gate_word()) != flags;)
        wait_while(&s_gate, (uint32_t)seen, NULL);
}

static void open_again(void)
{
    __atomic_and_fetch(&s_gate, (uint64_t)(uint32_t)~(CLOSED | BORROWED), __ATOMIC_SEQ_CST);
    wake_all(&s_gate);
}

void gate_close(void) { close_with(CLOSED); }

void gate_open(void) { open_again(); }

/* What the kernel looks at when a thread dies: only "taking or giving this one" is used of it. */
struct robust_list_head_of_kernel {
    void *list;
    long offset;
    void *pending;
};
static __thread struct robust_list_head_of_kernel *t_list_before __attribute__((tls_model("initial-exec")));

static void set_robust_list(struct robust_list_head_of_kernel *head)
{
    overlay_raw_syscall3(SYS_set_robust_list, (long)head, sizeof *head, 0);
}

/* In shared memory, and the same for all. */
static struct robust_list_head_of_kernel s_borrowers_list = {.list = &s_borrowers_list, .pending = &s_borrower};

void gate_close_as_borrower(void)
{
    uint32_t self = (uint32_t)overlay_raw_syscall3(SYS_gettid, 0, 0, 0);
    size_t size;
    t_list_before = NULL;
    overlay_raw_syscall3(SYS_get_robust_list, 0, (long)&t_list_before, (long)&size);
    set_robust_list(&s_borrowers_list);
    for (;;) {
        uint32_t seen = __atomic_load_n(&s_borrower, __ATOMIC_SEQ_CST);
        if (seen != 0 && (seen & FUTEX_OWNER_DIED) == 0)
            wait_while(&s_borrower, seen, &s_patience);
        else if (__atomic_compare_exchange_n(&s_borrower, &seen, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            break;
    }
    /* Only who holds that closes so: it was one that is dead. */
    for (uint64_t seen; ((seen = gate_word()) & BORROWED) != 0;)
        mend(seen);
    close_with(CLOSED | BORROWED | (uint64_t)__atomic_add_fetch(&s_closings, 1, __ATOMIC_SEQ_CST) << 32);
}

void gate_open_as_borrower(void)
{
    open_again();
    __atomic_store_n(&s_borrower, 0, __ATOMIC_SEQ_CST);
    wake_all(&s_borrower);
    set_robust_list(t_list_before);
}

void gate_reset(void)
{
    s_gate = 0;
    s_borrower = 0;
}

/* 1: held; 2: held, and somebody may be waiting. */
void lock_take(int *lock)
{
    int free = 0;
    if (__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        wait_while(lock, 2, NULL);
}

void lock_give(int *lock)
{
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        wake_all(lock);
}
