/*
 * May SIGSEGV be ours? Where it is blocked the kernel ends the process at a fault. From the first such mapping on the filter keeps it out of all
 * masks (own_signals.h); a thread that has it blocked by then (node has one with all signals blocked, from its start) is asked to unblock it, by
 * a signal that libc lets nobody block: the one by which setuid asks all threads, with the same way out of what waits.
 */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "helper.h"
#include "lazy.h"
#include "own_stack.h"
#include "syscalls.h"
#include "tasks.h"
#include "text.h"
#include "trap.h"

#define LIBC_SETXID 33
#define MASK_SIZE 8
#define ROUNDS 40
static const struct timespec s_round = {.tv_nsec = 5000000};

static struct kernel_action s_before;

static void on_asked(int number, siginfo_t *info, void *context)
{
    if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == &s_before)
        signals_take_out((uint64_t *)&((ucontext_t *)context)->uc_sigmask);
    else if (s_before.handler != SIG_DFL && s_before.handler != SIG_IGN)
        ((void (*)(int, void *, void *))s_before.handler)(number, info, context);
}

/* It stays: a signal that is delivered late must not find the default, which is the end. libc may put its own in its place, which ignores ours. */
static void install(void)
{
    struct kernel_action action = {
        .handler = (void *)on_asked, .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER, .restorer = trap_restorer(),
    }, before;
    overlay_raw_syscall6(SYS_rt_sigaction, LIBC_SETXID, (long)&action, (long)&before, MASK_SIZE, 0, 0);
    if (before.handler != (void *)on_asked)
        s_before = before;
}

static void ask(int thread)
{
    siginfo_t info = {.si_signo = LIBC_SETXID, .si_code = SI_QUEUE};
    info.si_value.sival_ptr = &s_before;
    overlay_raw_syscall6(SYS_rt_tgsigqueueinfo, overlay_own_pid, thread, LIBC_SETXID, (long)&info, 0, 0);
}

static uint64_t hexadecimal(const char *text)
{
    uint64_t value = 0;
    for (;; text++) {
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : -1;
        if (digit < 0)
            return value;
        value = value << 4 | (uint64_t)digit;
    }
}

static uint64_t blocked_by(const char *status)
{
    static const char field[] = "\nSigBlk:\t";
    for (; *status != 0; status++)
        if (text_starts(status, field))
            return hexadecimal(status + sizeof field - 1);
    return ~0UL; /* not to be told */
}

static bool is_blocked_in(int tasks, int thread, bool is_asking)
{
    char status[2048];
    if (thread == helper_thread())
        return false; /* it touches nothing that is not filled: its caller could not either */
    if (own_stack_is_in_use(thread))
        return false; /* the engine's mask, for the time being; what it gives back is without SIGSEGV (signals_give_back) */
    long count = tasks_read(tasks, thread, "status", status, sizeof status);
    uint64_t blocked = count > 0 ? blocked_by(status) : 0; /* else it has ended */
    if ((blocked & SIGNAL_BIT(SIGSEGV)) == 0)
        return false;
    if (is_asking && (blocked & SIGNAL_BIT(LIBC_SETXID)) == 0)
        ask(thread);
    return true;
}

static bool is_blocked(int tasks, int thread, void *argument)
{
    (void)argument;
    return is_blocked_in(tasks, thread, false);
}

/* All are asked. */
static bool is_asked(int tasks, int thread, void *are_any)
{
    *(bool *)are_any |= is_blocked_in(tasks, thread, true);
    return false;
}

static bool is_blocked_in_any(bool is_asking)
{
    bool are_any = false;
    return tasks_any(is_asking ? is_asked : is_blocked, &are_any) != 0 || are_any;
}

bool lazy_is_blocked_elsewhere(void)
{
    static bool s_has_asked; /* under lazy_begin's lock */
    if (!is_blocked_in_any(false))
        return false;
    if (s_has_asked)
        return true; /* one that does not answer */
    s_has_asked = true;
    install();
    bool is_blocked = is_blocked_in_any(true);
    for (int round = 0; is_blocked && round < ROUNDS; round++) {
        overlay_raw_syscall6(SYS_nanosleep, (long)&s_round, 0, 0, 0, 0, 0);
        is_blocked = is_blocked_in_any(false);
    }
    return is_blocked;
}
