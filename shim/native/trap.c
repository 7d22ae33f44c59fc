#include "trap.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "own_stack.h"
#include "reachable.h"
#include "syscalls.h"
#include "unprotected.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif
#define X32_BIT 0x40000000L
#define DIRECTION_FLAG 0x400

uint8_t overlay_traps;
uint64_t overlay_all_signals = ~0UL;

static uintptr_t s_allowed, s_allowed_size;
static struct kernel_action s_action;
static bool s_has_small_stacks;

static long begin_here(void)
{
    return overlay_raw_syscall6(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)s_allowed, (long)s_allowed_size, 0, 0);
}

/* The instruction, at the end of trampoline.S, whose trap tells of a call that the filter has seen: back to libc's own. */
static void leave_trampoline(greg_t *r)
{
    uintptr_t slot = *(uintptr_t *)r[REG_RSP];
    int32_t distance = *(int32_t *)(slot + 16);
    r[REG_RSP] += 136;
    r[REG_RIP] = (greg_t)(slot + 20 + (uintptr_t)(intptr_t)distance + 2);
}

static bool is_within(uintptr_t address, uintptr_t start, size_t size)
{
    return address - start < size;
}

/*
 * Where the filter runs: below the program's stack pointer, as when it comes from a trampoline. Go's stacks are too small for that; only its
 * signal handlers have room, and what runs on a stack of ours.
 */
static uintptr_t stack_for_filter(const ucontext_t *context, uintptr_t stack)
{
    const stack_t *alternate = &context->uc_stack;
    bool has_alternate = (alternate->ss_flags & SS_DISABLE) == 0;
    uintptr_t ours = 0;
    if (s_has_small_stacks && !(has_alternate && is_within(stack, (uintptr_t)alternate->ss_sp, alternate->ss_size)))
        ours = own_stack_for_trap(stack);
    return ours != 0 ? ours : stack - TRAP_BELOW;
}

/*
 * Nothing is decided in the handler: when it returns, the program goes on in overlay_trap_run, with its own signal mask, as if it had called
 * that. So signals find it there as they find it in a trampoline, and a handler may jump away.
 */
static void go_on_in_filter(ucontext_t *context)
{
    greg_t *r = context->uc_mcontext.gregs;
    bool was_filtered = r[REG_RIP] == (greg_t)overlay_trampoline_trapped;
    if (was_filtered)
        leave_trampoline(r);
    uintptr_t below = stack_for_filter(context, (uintptr_t)r[REG_RSP]);
    struct trap_call *trapped = (struct trap_call *)((below - sizeof *trapped) & ~15UL);
    *trapped = (struct trap_call){
        .call = {r[REG_RAX], {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]}, (uintptr_t)r[REG_RIP] - 2, 0},
        .program_stack = (uintptr_t)r[REG_RSP], .program_next = (uintptr_t)r[REG_RIP], .program_flags = (uintptr_t)r[REG_EFL],
        .was_filtered = was_filtered,
    };
    r[REG_RSP] = r[REG_RDI] = (greg_t)trapped;
    r[REG_RIP] = (greg_t)overlay_trap_run;
    r[REG_EFL] &= ~(greg_t)DIRECTION_FLAG;
}

/* Called by overlay_trap_run, which then goes on as it is told here. */
void trap_filter(struct trap_call *trapped)
{
    uintptr_t none = 0, stack = trapped->program_stack;
    struct overlay_call *call = &trapped->call;
    trapped->copy_stack = &none;
    bool is_handled = !trapped->was_filtered && overlay_filter(call) == HANDLED;
    if (trapped->copy_stack != &none)
        stack = (uintptr_t)trapped->copy_stack + 136; /* a copy of the process, on another stack: fork.c */
    struct trap_frame *frame = (struct trap_frame *)(stack - TRAP_BELOW);
    *frame = (struct trap_frame){
        .tail = (uintptr_t)overlay_trap_tail, .resume = trapped->program_next, .rdi = call->args[0], .rsi = call->args[1],
        .rdx = call->args[2], .r10 = call->args[3], .r8 = call->args[4], .r9 = call->args[5],
    };
    if (!is_handled && (call->number == SYS_clone || call->number == SYS_clone3)) {
        call->result = trap_clone(call, frame);
        is_handled = call->result < 0;
    }
    trapped->next = is_handled ? frame->tail : (uintptr_t)overlay_raw_entry;
    trapped->next_stack = (uintptr_t)frame + (is_handled ? sizeof frame->tail : 0);
    if (is_handled)
        call->number = call->result;
}

/* The program's own handler is done. What is on its frame may block no SIGSYS. */
static void return_from_handler(uintptr_t stack)
{
    ucontext_t *context = (ucontext_t *)stack;
    if (can_write(context, sizeof *context))
        *(uint64_t *)&context->uc_sigmask &= ~overlay_own_signals;
    overlay_trap_return(stack);
}

static void on_trap(int number, siginfo_t *info, void *argument)
{
    ucontext_t *context = argument;
    greg_t *r = context->uc_mcontext.gregs;
    const long arguments[4] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10]};
    if (info->si_code != SYS_USER_DISPATCH)
        signals_deliver(number, info, context);
    else if (info->si_arch != AUDIT_ARCH_X86_64 || (r[REG_RAX] & X32_BIT) != 0)
        r[REG_RAX] = -ENOSYS; /* other tables of calls: the filter does not know them */
    else if (r[REG_RAX] == SYS_rt_sigreturn)
        return_from_handler((uintptr_t)r[REG_RSP]);
    else if (r[REG_RAX] == SYS_rt_sigprocmask)
        r[REG_RAX] = trap_change_mask(arguments, (uint64_t *)&context->uc_sigmask);
    else
        go_on_in_filter(context);
}

static long set_action(struct kernel_action *before)
{
    return overlay_raw_syscall6(SYS_rt_sigaction, SIGSYS, (long)&s_action, (long)before, 8, 0, 0);
}

void trap_begin_thread(void)
{
    /* A clone may have reset all handlers (posix_spawn's does). */
    long error = set_action(NULL);
    if (error == 0)
        error = begin_here();
    if (error < 0)
        refuse_to_run(NULL, "this thread's system calls cannot be trapped (by a seccomp filter?), so it would write plaintext", error);
}

void *trap_restorer(void)
{
    return overlay_traps != 0 ? s_action.restorer : (void *)overlay_raw_restorer;
}

void trap_use_signal_stack(void)
{
    if (overlay_traps == 0 || s_has_small_stacks)
        return;
    s_has_small_stacks = true;
    s_action.flags |= SA_ONSTACK;
    set_action(NULL);
}

long trap_begin(const struct overlay_patch_stubs *stubs)
{
    bool has_stubs = stubs->raw_entry != 0;
    if (has_stubs)
        overlay_raw_entry = (void (*)(void))stubs->raw_entry;
    s_allowed = has_stubs ? stubs->text : (uintptr_t)overlay_raw_here;
    s_allowed_size = (has_stubs ? stubs->text_end : (uintptr_t)overlay_raw_end) - s_allowed;
    const uint64_t own = SIGNAL_BIT(SIGSYS);
    overlay_all_signals = ~own;
    s_action = (struct kernel_action){
        .handler = (void *)on_trap,
        .flags = SA_SIGINFO | SA_NODEFER | SA_RESTORER,
        .mask = overlay_all_signals,
        .restorer = has_stubs ? (void *)stubs->restorer : (void *)overlay_raw_restorer,
    };
    struct kernel_action before;
    long error = set_action(&before);
    if (error == 0)
        error = overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&own, 0, 8, 0, 0);
    if (error < 0)
        return error;
    signals_adopt_action(SIGSYS, &before);
    overlay_traps = 1;
    return begin_here();
}
