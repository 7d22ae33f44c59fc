/*
 * Signals that are ours: SIGSYS where calls are trapped, SIGSEGV from the first mapping on that is filled when it is touched. They may never be
 * blocked: the kernel kills a thread whose trap or fault is. So they are taken out of every mask that a program gives to the kernel, and
 * the program is told what it expects to hear.
 */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "calls.h"
#include "engine_call.h"
#include "lazy.h"
#include "reachable.h"
#include "syscalls.h"
#include "trap.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

#define OWN overlay_own_signals
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define MASK_SIZE 8

uint64_t overlay_own_signals;

static struct kernel_action s_program_actions[2];
static uint64_t s_masks_with_own[2]; /* the actions (by their signals) whose masks had them */
static __thread int t_is_setting_mask __attribute__((tls_model("initial-exec"))); /* for a handler of the program's */
static __thread int t_is_dying __attribute__((tls_model("initial-exec")));
static __thread uint64_t t_believes_blocked __attribute__((tls_model("initial-exec")));

static const int s_own_numbers[2] = {SIGSYS, SIGSEGV};

static int index_of(int number) { return number == SIGSEGV; }

static bool is_own(int number) { return (OWN & SIGNAL_BIT(number)) != 0; }

static long set_mask(uint64_t mask)
{
    return overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, MASK_SIZE, 0, 0);
}

long trap_change_mask(const long arguments[4], uint64_t *mask)
{
    const uint64_t *asked = (const uint64_t *)arguments[1];
    uint64_t *before = (uint64_t *)arguments[2], shown = *mask | t_believes_blocked, next = shown;
    if (arguments[3] != MASK_SIZE)
        return -EINVAL;
    if (asked != NULL) {
        if (!can_read(asked, MASK_SIZE))
            return -EFAULT;
        uint64_t set = *asked & ~UNBLOCKABLE;
        switch ((int)arguments[0]) {
        case SIG_BLOCK: next = shown | set; break;
        case SIG_UNBLOCK: next = shown & ~set; break;
        case SIG_SETMASK: next = set; break;
        default: return -EINVAL;
        }
        *mask = next & ~OWN;
        t_believes_blocked = next & OWN;
    }
    if (before != NULL) {
        if (!can_write(before, MASK_SIZE))
            return -EFAULT;
        *before = shown;
    }
    return 0;
}

void signals_take_out(uint64_t *mask)
{
    t_believes_blocked |= *mask & OWN;
    *mask &= ~OWN;
}

void signals_give_back(uint64_t mask)
{
    signals_take_out(&mask);
    set_mask(mask);
}

/* From libc's text, which is not trapped. */
int on_rt_sigprocmask(struct overlay_call *call)
{
    const uint64_t *asked = (const uint64_t *)call->args[1];
    bool is_plain = t_believes_blocked == 0 && (asked == NULL || (can_read(asked, MASK_SIZE) && (*asked & OWN) == 0));
    if (is_plain)
        return PASS;
    uint64_t mask;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, MASK_SIZE, 0, 0);
    uint64_t next = mask;
    long error = trap_change_mask(call->args, &next);
    if (next != mask)
        set_mask(next);
    return answer(call, error);
}

void signals_adopt_action(int number, const struct kernel_action *before)
{
    s_program_actions[index_of(number)] = *before;
    __atomic_or_fetch(&OWN, SIGNAL_BIT(number), __ATOMIC_SEQ_CST);
}

const struct kernel_action *signals_program_action(int number)
{
    return &s_program_actions[index_of(number)];
}

/* A child of posix_spawn has our memory, and actions of its own, which its exec undoes; but not what it ignores. */
static long change_own_action(int number, const struct kernel_action *asked, struct kernel_action *before)
{
    struct kernel_action *own = &s_program_actions[index_of(number)], old = *own;
    bool is_borrowed = asked != NULL && is_borrowed_memory();
    if (asked != NULL && !is_borrowed) {
        *own = *asked;
        if (number == SIGSEGV)
            lazy_action_changed();
    }
    if (before != NULL)
        *before = old;
    return is_borrowed && asked->handler == SIG_IGN ? overlay_raw_syscall6(SYS_rt_sigaction, number, (long)asked, 0, MASK_SIZE, 0, 0) : 0;
}

static uint64_t own_in_mask_of(int number)
{
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        if ((__atomic_load_n(&s_masks_with_own[i], __ATOMIC_RELAXED) & SIGNAL_BIT(number)) != 0)
            bits |= SIGNAL_BIT(s_own_numbers[i]);
    return bits;
}

static void note_mask_of(int number, uint64_t mask)
{
    for (int i = 0; i < 2; i++) {
        if ((mask & OWN & SIGNAL_BIT(s_own_numbers[i])) != 0)
            __atomic_or_fetch(&s_masks_with_own[i], SIGNAL_BIT(number), __ATOMIC_RELAXED);
        else
            __atomic_and_fetch(&s_masks_with_own[i], ~SIGNAL_BIT(number), __ATOMIC_RELAXED);
    }
}

static long change_action(int number, const struct kernel_action *asked, struct kernel_action *before)
{
    struct kernel_action changed, old;
    uint64_t had_own = own_in_mask_of(number);
    if (asked != NULL) {
        changed = *asked;
        changed.mask &= ~OWN;
    }
    long error = overlay_raw_syscall6(SYS_rt_sigaction, number, asked != NULL ? (long)&changed : 0, (long)&old, MASK_SIZE, 0, 0);
    if (error < 0)
        return error;
    if (asked != NULL && !is_borrowed_memory())
        note_mask_of(number, asked->mask);
    if (before != NULL) {
        old.mask |= had_own;
        *before = old;
    }
    return 0;
}

void signals_clear_masks(void)
{
    for (int number = 1; number <= 64; number++) {
        struct kernel_action action;
        if (!is_own(number) && overlay_raw_syscall6(SYS_rt_sigaction, number, 0, (long)&action, MASK_SIZE, 0, 0) == 0 && (action.mask & OWN) != 0)
            change_action(number, &action, NULL);
    }
}

int on_rt_sigaction(struct overlay_call *call)
{
    int number = (int)call->args[0];
    const struct kernel_action *asked = (const struct kernel_action *)call->args[1];
    struct kernel_action *before = (struct kernel_action *)call->args[2];
    if (call->args[3] != MASK_SIZE || number < 1 || number > 64)
        return PASS; /* EINVAL */
    if ((asked != NULL && !can_read(asked, sizeof *asked)) || (before != NULL && !can_write(before, sizeof *before)))
        return answer(call, -EFAULT);
    return answer(call, is_own(number) ? change_own_action(number, asked, before) : change_action(number, asked, before));
}

/* The calls that wait with another mask: with one of ours, if theirs has what is ours. `index`: the argument that points to it. */
static int wait_with_mask(struct overlay_call *call, int index, const uint64_t *mask, long size)
{
    if (mask == NULL || size != MASK_SIZE || !can_read(mask, MASK_SIZE) || (*mask & OWN) == 0)
        return PASS;
    const uint64_t changed = *mask & ~OWN;
    const long pair[2] = {(long)&changed, MASK_SIZE}; /* pselect6's */
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = call->args[i];
    arguments[index] = call->number == SYS_pselect6 ? (long)pair : (long)&changed;
    return answer(call, overlay_raw_syscall6(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]));
}

int on_rt_sigsuspend(struct overlay_call *call)
{
    return wait_with_mask(call, 0, (const uint64_t *)call->args[0], call->args[1]);
}

int on_ppoll(struct overlay_call *call)
{
    return wait_with_mask(call, 3, (const uint64_t *)call->args[3], call->args[4]);
}

/* epoll_pwait2, too. */
int on_epoll_pwait(struct overlay_call *call)
{
    return wait_with_mask(call, 4, (const uint64_t *)call->args[4], call->args[5]);
}

int on_pselect6(struct overlay_call *call)
{
    const long *pair = (const long *)call->args[5];
    return pair == NULL || !can_read(pair, 2 * sizeof *pair) ? PASS : wait_with_mask(call, 5, (const uint64_t *)pair[0], pair[1]);
}

void signals_die_of(int number)
{
    const struct kernel_action plain = {.flags = 0};
    const uint64_t bit = SIGNAL_BIT(number);
    overlay_raw_syscall6(SYS_rt_sigaction, number, (long)&plain, 0, MASK_SIZE, 0, 0);
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&bit, 0, MASK_SIZE, 0, 0);
    overlay_raw_syscall3(SYS_tgkill, overlay_raw_syscall3(SYS_getpid, 0, 0, 0), overlay_raw_syscall3(SYS_gettid, 0, 0, 0), number);
}

/* As the kernel would, but on this frame; the program's handler may also jump away, and so set the mask itself. */
void signals_call(const struct kernel_action *action, int number, void *info, void *context)
{
    uint64_t *mask = (uint64_t *)&((ucontext_t *)context)->uc_sigmask, believed = t_believes_blocked;
    uint64_t inside = *mask | action->mask | ((action->flags & SA_NODEFER) != 0 ? 0 : SIGNAL_BIT(number));
    t_believes_blocked |= inside & OWN;
    t_is_setting_mask = 1;
    set_mask(inside & ~OWN);
    t_is_setting_mask = 0;
    ((void (*)(int, void *, void *))action->handler)(number, info, context);
    t_believes_blocked = believed;
    *mask &= ~OWN;
}

/*
 * One of our signals that is not ours. While the engine runs nothing of the program's may: then it is gone, as two signals become one. A fault is
 * not: it comes again, and kills.
 */
void signals_deliver(int number, void *info, void *context)
{
    bool is_filtered = number == SIGSYS && ((siginfo_t *)info)->si_code == SYS_SECCOMP;
    if (is_filtered && (t_is_dying != 0 || ((siginfo_t *)info)->si_syscall == SYS_rt_sigreturn)) {
        /* Nobody comes back from a handler there. The kernel would kill, since SIGSYS is blocked in its handler; here it is not. */
        if (t_is_dying++ == 0)
            signals_die_of(SIGSYS);
        __builtin_trap(); /* the filter lets us do nothing else */
    }
    if (is_filtered && t_is_setting_mask != 0) {
        /* The program's own seccomp filter does not let us: its handler then runs with another mask. To call it for that would not end. */
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
        return;
    }
    const struct kernel_action action = s_program_actions[index_of(number)];
    bool is_forced = ((siginfo_t *)info)->si_code > 0, is_fault = is_forced && number == SIGSEGV;
    bool is_held_back = is_fault && (t_believes_blocked & SIGNAL_BIT(number)) != 0;
    if (overlay_in_engine != 0 && !is_fault)
        return;
    if (is_fault && (action.handler == SIG_DFL || action.handler == SIG_IGN || is_held_back || overlay_in_engine != 0)) {
        const struct kernel_action plain = {.flags = 0};
        overlay_raw_syscall6(SYS_rt_sigaction, number, (long)&plain, 0, MASK_SIZE, 0, 0);
        return; /* to the instruction that faults */
    }
    if (action.handler == SIG_DFL || (action.handler == SIG_IGN && is_forced)) {
        signals_die_of(number);
        return;
    }
    if (action.handler == SIG_IGN)
        return;
    if ((action.flags & SA_RESETHAND) != 0) {
        s_program_actions[index_of(number)].handler = SIG_DFL;
        if (number == SIGSEGV)
            lazy_action_changed();
    }
    signals_call(&action, number, info, context);
}
