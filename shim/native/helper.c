#include "helper.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "calls.h"
#include "engine_call.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

#define STACK_SIZE (128L << 10) /* the encoder's table takes 16 KiB; what is not touched takes no memory */
#define GUARD_SIZE 4096L
#define THREAD_AREA 8192L /* above the stack: what it finds behind its thread pointer */

/* A short program should not see it come and go. */
#define BYTES_BEFORE (4L << 20)
/* It is made anew now and then, with the niceness, processors and rights that its maker has by then. */
#define JOBS_IN_A_LIFE 2048
/*
 * Of 15 to 50 ns each. The next call of who writes on and on comes within the first, and waking a processor that has gone to sleep would take a tenth of
 * a call; in the second a block is done, unless its helper does not have a processor.
 */
#define IDLE_SPINS 6000
#define LATE_SPINS 12000
static const struct timespec s_idle = {.tv_nsec = 20000000}, s_moment = {.tv_nsec = 50000};

/*
 * Where others want the processors it is of no use: it comes too late, so often in a row; or it is held up in the middle of a block, and its caller with
 * it, for a time slice. So many calls then do without it, twice as many each time, and half as many again when it has been in time for long.
 */
#define LATE_LIMIT 4
#define IN_TIME_LIMIT 256
#define LEAST_WITHOUT 64
#define MOST_WITHOUT 4096

/* What it does, a futex. */
enum { NONE, IDLE, ASLEEP, CALLED, WORKING, AWAITED, ENDING };
static uint32_t s_state __attribute__((aligned(64)));

static int s_is_taken;   /* by the thread that may call it */
static int s_is_unwanted; /* how many want it to have ended */
static int s_is_forbidden;
static bool s_is_stubborn; /* it comes on a busy machine, too */
static int s_tid;         /* the kernel clears it, and wakes who waits, when the thread is about to be gone */

/* Of who has taken it: */
static int s_last_tid; /* 0: it is certainly gone */
static long (*s_work)(void *job);
static void *s_job;
static bool s_is_called;
static int64_t s_bytes;
static unsigned s_late, s_in_time, s_without, s_without_last;

static long s_done; /* blocks of the last job that it has done */

static long futex(const void *word, int operation, uint32_t value, const struct timespec *patience)
{
    return overlay_raw_syscall6(SYS_futex, (long)word, operation, value, (long)patience, 0, 0);
}

static uint32_t state(void)
{
    return __atomic_load_n(&s_state, __ATOMIC_ACQUIRE);
}

static bool change(uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&s_state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* False: there was nothing to do for a while. */
static bool wait_for_call(bool is_soon)
{
    for (int i = 0; is_soon && i < IDLE_SPINS && state() == IDLE; i++)
        __builtin_ia32_pause();
    if (change(IDLE, ASLEEP) && futex(&s_state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, ASLEEP, &s_idle) == -ETIMEDOUT)
        return !change(ASLEEP, NONE);
    change(ASLEEP, IDLE);
    return true;
}

/* On no stack any more. Its calls need not come from where others' must (trap.h): traps are not inherited. */
static void __attribute__((noreturn)) end_here(void)
{
    uintptr_t low = ((uintptr_t)__builtin_frame_address(0) & -STACK_SIZE);
    register long size __asm__("rsi") = STACK_SIZE;
    __asm__ volatile("syscall\n\tmovl %[exit], %%eax\n\txorl %%edi, %%edi\n\tsyscall\n\tud2"
                     :
                     : "a"((long)SYS_munmap), "D"(low), "r"(size), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

static void __attribute__((noreturn)) helper_main(void)
{
    bool is_soon = true;
    for (int jobs = 0;;) {
        uint32_t now = state();
        if (now == ENDING || (now == IDLE && jobs >= JOBS_IN_A_LIFE && change(IDLE, NONE)))
            break;
        if (now == CALLED && change(CALLED, WORKING)) {
            long done = s_work(s_job);
            jobs++;
            is_soon = done > 0;
            s_done = done;
            if (!change(WORKING, IDLE)) {
                __atomic_store_n(&s_state, IDLE, __ATOMIC_SEQ_CST);
                futex(&s_state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
            }
        } else if (now != CALLED && !wait_for_call(is_soon)) {
            break;
        }
    }
    /* Who wants it to end waits for the kernel's word, and it is NONE only now. */
    __atomic_store_n(&s_state, NONE, __ATOMIC_SEQ_CST);
    end_here();
}

/* Whether others want them shows soon enough (judge). */
static bool has_processors(void)
{
    uint64_t mask[16];
    long size = overlay_raw_syscall3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    int count = 0;
    for (long i = 0; i < size / 8; i++)
        for (uint64_t word = mask[i]; word != 0; word &= word - 1)
            count++;
    if (size == -EINVAL)
        return true; /* very many */
    return count > 1;
}

/* In a class of its own it might wait for this thread, or this one for it, while others have the processors. */
static bool is_scheduled_as_usual(void)
{
    long policy = overlay_raw_syscall3(SYS_sched_getscheduler, 0, 0, 0);
    return policy == SCHED_OTHER || policy == SCHED_BATCH;
}

/* At a multiple of its size, by which its end finds it. */
static long map_stack(void)
{
    long low = overlay_raw_syscall6(SYS_mmap, 0, 2 * STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (overlay_is_error(low))
        return 0;
    long stack = (low + STACK_SIZE - 1) & -STACK_SIZE;
    if (stack > low)
        overlay_raw_syscall3(SYS_munmap, low, stack - low, 0);
    overlay_raw_syscall3(SYS_munmap, stack + STACK_SIZE, low + STACK_SIZE - stack, 0);
    if (overlay_raw_syscall3(SYS_mprotect, stack + GUARD_SIZE, STACK_SIZE - GUARD_SIZE, PROT_READ | PROT_WRITE) == 0)
        return stack;
    overlay_raw_syscall3(SYS_munmap, stack, STACK_SIZE, 0);
    return 0;
}

/* What compiled code may look at there: the pointer itself, and libc's guard of stacks. */
static long make_thread_area(long stack)
{
    uintptr_t *area = (uintptr_t *)(stack + STACK_SIZE - THREAD_AREA / 2);
    area[0] = area[2] = (uintptr_t)area;
    __asm__("movq %%fs:0x28, %0" : "=r"(area[5]));
    return (long)area;
}

/* The job is there already. */
static bool make(void)
{
    const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    long stack = map_stack();
    if (stack == 0)
        return false;
    long area = make_thread_area(stack);
    /* The child returns from the call to what lies on its stack: its beginning. */
    uintptr_t *top = (uintptr_t *)(stack + STACK_SIZE - THREAD_AREA) - 2;
    *top = (uintptr_t)helper_main;
    uint64_t all = ~0UL, before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    __atomic_store_n(&s_state, CALLED, __ATOMIC_SEQ_CST);
    long child = overlay_raw_syscall6(SYS_clone, (long)flags, (long)top, (long)&s_tid, (long)&s_tid, area, 0);
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
    if (child > 0) {
        s_last_tid = (int)child;
        return true;
    }
    __atomic_store_n(&s_state, NONE, __ATOMIC_SEQ_CST);
    overlay_raw_syscall3(SYS_munmap, stack, STACK_SIZE, 0);
    return false;
}

static bool is_allowed(void)
{
    return __atomic_load_n(&s_is_unwanted, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&s_is_forbidden, __ATOMIC_SEQ_CST) == 0 &&
           __atomic_load_n(&overlay_has_filter, __ATOMIC_RELAXED) == 0;
}

/* It is there, or may be made: for who has taken it. */
static bool is_to_be_had(int64_t bytes)
{
    if (s_without > 0) {
        s_without--;
        return false;
    }
    if (state() != NONE)
        return true;
    s_bytes += bytes;
    return s_bytes >= BYTES_BEFORE && __atomic_load_n(&s_tid, __ATOMIC_SEQ_CST) == 0;
}

static void release(void)
{
    __atomic_store_n(&s_is_taken, 0, __ATOMIC_SEQ_CST);
}

static int take(int64_t bytes)
{
    int free = 0;
    if (!is_allowed() || !__atomic_compare_exchange_n(&s_is_taken, &free, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return 0;
    if (is_allowed() && is_to_be_had(bytes))
        return 1;
    release();
    return 0;
}

static void call(long (*work)(void *job), void *job)
{
    s_work = work;
    s_job = job;
    s_done = 0;
    uint32_t now = state();
    if (now == NONE && s_bytes >= BYTES_BEFORE && __atomic_load_n(&s_tid, __ATOMIC_SEQ_CST) == 0) {
        s_bytes = 0;
        s_is_called = has_processors() && is_scheduled_as_usual() && make();
        if (!s_is_called)
            s_without = MOST_WITHOUT;
        return;
    }
    for (; now == IDLE || now == ASLEEP; now = state())
        if ((s_is_called = change(now, CALLED))) {
            if (now == ASLEEP)
                futex(&s_state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
            return;
        }
}

static void do_without(void)
{
    s_late = s_in_time = 0;
    s_without_last = s_without_last < LEAST_WITHOUT ? LEAST_WITHOUT : s_without_last < MOST_WITHOUT ? 2 * s_without_last : MOST_WITHOUT;
    s_without = s_without_last;
}

/* Whether calling it was worth it. */
static void judge(bool has_waited)
{
    s_late = s_done > 0 ? 0 : s_late + 1;
    if ((has_waited || s_late >= LATE_LIMIT) && !s_is_stubborn) {
        do_without();
    } else if (s_done > 0 && ++s_in_time >= IN_TIME_LIMIT) {
        s_in_time = 0;
        s_without_last /= 2;
    }
}

static void recall(void)
{
    bool has_waited = false;
    if (!s_is_called)
        return;
    s_is_called = false;
    if (!change(CALLED, IDLE)) {
        for (int i = 0; i < LATE_SPINS && state() == WORKING; i++)
            __builtin_ia32_pause();
        has_waited = change(WORKING, AWAITED);
        while (state() == AWAITED)
            futex(&s_state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, AWAITED, NULL);
    }
    judge(has_waited);
}

const struct overlay_helper_calls overlay_helper_calls = {.take = take, .call = call, .recall = recall, .release = release};

void helper_set(const char *value)
{
    if (value != NULL && text_same(value, "0"))
        helper_forbid();
    s_is_stubborn = value != NULL && text_same(value, "1");
}

void helper_forbid(void)
{
    __atomic_store_n(&s_is_forbidden, 1, __ATOMIC_SEQ_CST);
    helper_end();
}

/* The kernel's word comes a little before the thread has left the process. Its number may be another thread's by now: no more than a while. */
static void wait_until_gone(void)
{
    int tid;
    while ((tid = __atomic_load_n(&s_tid, __ATOMIC_SEQ_CST)) != 0)
        futex(&s_tid, FUTEX_WAIT, (uint32_t)tid, &s_idle);
    for (int i = 0; i < 200 && s_last_tid != 0; i++) {
        if (overlay_raw_syscall3(SYS_tgkill, overlay_own_pid, s_last_tid, 0) == -ESRCH)
            s_last_tid = 0;
        else
            overlay_raw_syscall3(SYS_nanosleep, (long)&s_moment, 0, 0);
    }
    s_last_tid = 0;
}

/* With all signals blocked: a handler might come here, too. */
static void end(void)
{
    __atomic_add_fetch(&s_is_unwanted, 1, __ATOMIC_SEQ_CST);
    /* It is another thread's, whose write ends. Nobody else takes it now, nor makes it. */
    for (int free = 0; !__atomic_compare_exchange_n(&s_is_taken, &free, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); free = 0)
        overlay_raw_syscall3(SYS_nanosleep, (long)&s_moment, 0, 0);
    while (s_last_tid != 0 && state() != NONE)
        if (change(IDLE, ENDING) || change(ASLEEP, ENDING))
            futex(&s_state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
        else
            futex(&s_state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, ENDING, &s_moment);
    if (s_last_tid != 0)
        wait_until_gone();
    release();
    __atomic_sub_fetch(&s_is_unwanted, 1, __ATOMIC_SEQ_CST);
}

void helper_end(void)
{
    /* In this order: who has just taken it leaves its number before it lets go; who takes it from now on sees what forbids it. */
    if (__atomic_load_n(&s_is_taken, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&s_last_tid, __ATOMIC_SEQ_CST) == 0)
        return;
    uint64_t all = overlay_all_signals, before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    end();
    /* As it was: in a fork all are blocked already, and signals_give_back would take that for the program's wish. */
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
}

void helper_in_child(void)
{
    s_state = NONE;
    s_is_taken = s_is_unwanted = s_tid = s_last_tid = 0;
    s_is_called = false;
    s_bytes = 0;
    s_late = s_in_time = s_without = s_without_last = 0;
}

int helper_thread(void)
{
    return __atomic_load_n(&s_tid, __ATOMIC_SEQ_CST);
}
