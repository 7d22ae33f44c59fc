/*
 * Signals of a program whose calls are trapped. SIGSYS is ours, and may never be blocked: the kernel kills a thread whose trap is. So it is
 * taken out of every mask that a program gives to the kernel, and the program is told what it expects to hear.
 */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "calls.h"
#include "engine_call.h"
#include "reachable.h"
#include "syscalls.h"
#include "trap.h"

#define OWN SIGNAL_BIT(SIGSYS)
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define MASK_SIZE 8

static struct kernel_action s_program_action; /* for SIGSYS */
static uint64_t s_masks_with_own; /* the actions (by their signals) whose masks had SIGSYS */
static __thread uint8_t t_believes_blocked __attribute__((tls_model("initial-exec")));

static long set_mask(uint64_t mask)
{
    return overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, MASK_SIZE, 0, 0);
}

long trap_change_mask(const long arguments[4], uint64_t *mask)
{
    const uint64_t *asked = (const uint64_t *)arguments[1];
    uint64_t *before = (uint64_t *)arguments[2], shown = *mask | (t_believes_blocked != 0 ? OWN : 0), next = shown;
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
        t_believes_blocked = (next & OWN) != 0;
    }
    if (before != NULL) {
        if (!can_write(before, MASK_SIZE))
            return -EFAULT;
        *before = shown;
    }
    return 0;
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

void trap_adopt_action(const struct kernel_action *before)
{
    s_program_action = *before;
}

static long change_own_action(const struct kernel_action *asked, struct kernel_action *before)
{
    struct kernel_action old = s_program_action;
    if (asked != NULL)
        s_program_action = *asked;
    if (before != NULL)
        *before = old;
    return 0;
}

static long change_action(int number, const struct kernel_action *asked, struct kernel_action *before)
{
    struct kernel_action changed, old;
    uint64_t bit = SIGNAL_BIT(number);
    bool had_own = (__atomic_load_n(&s_masks_with_own, __ATOMIC_RELAXED) & bit) != 0;
    if (asked != NULL) {
        changed = *asked;
        changed.mask &= ~OWN;
    }
    long error = overlay_raw_syscall6(SYS_rt_sigaction, number, asked != NULL ? (long)&changed : 0, (long)&old, MASK_SIZE, 0, 0);
    if (error < 0)
        return error;
    if (asked != NULL && (asked->mask & OWN) != 0)
        __atomic_or_fetch(&s_masks_with_own, bit, __ATOMIC_RELAXED);
    else if (asked != NULL)
        __atomic_and_fetch(&s_masks_with_own, ~bit, __ATOMIC_RELAXED);
    if (before != NULL) {
        old.mask |= had_own ? OWN : 0;
        *before = old;
    }
    return 0;
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
    return answer(call, number == SIGSYS ? change_own_action(asked, before) : change_action(number, asked, before));
}

/* The calls that wait with another mask: with one of ours, if theirs has SIGSYS. `index`: the argument that points to it. */
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

static void die_of(int number)
{
    const struct kernel_action plain = {.flags = 0};
    const uint64_t bit = SIGNAL_BIT(number);
    overlay_raw_syscall6(SYS_rt_sigaction, number, (long)&plain, 0, MASK_SIZE, 0, 0);
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&bit, 0, MASK_SIZE, 0, 0);
    overlay_raw_syscall3(SYS_tgkill, overlay_raw_syscall3(SYS_getpid, 0, 0, 0), overlay_raw_syscall3(SYS_gettid, 0, 0, 0), number);
}

/* A SIGSYS that is not ours. While the engine runs nothing of the program's may: then it is gone, as two signals become one. */
void trap_deliver(int number, void *info, void *context)
{
    const struct kernel_action action = s_program_action;
    bool is_forced = ((siginfo_t *)info)->si_code > 0;
    if (overlay_in_engine != 0)
        return;
    if (action.handler == SIG_DFL || (action.handler == SIG_IGN && is_forced)) {
        die_of(number);
        return;
    }
    if (action.handler == SIG_IGN)
        return;
    if ((action.flags & SA_RESETHAND) != 0)
        s_program_action.handler = SIG_DFL;
    uint64_t *mask = (uint64_t *)&((ucontext_t *)context)->uc_sigmask;
    set_mask((*mask | action.mask) & ~OWN);
    ((void (*)(int, void *, void *))action.handler)(number, info, context);
    *mask &= ~OWN;
}
