/* The fault of a mapping that is filled when it is touched: ours is filled, and the instruction tried again; any other is the program's. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "engine_call.h"
#include "gate.h"
#include "lazy.h"
#include "patch.h"
#include "syscalls.h"
#include "trap.h"

#define MASK_SIZE 8
#define ERROR_WRITE 2
#define ERROR_FETCH 16

static struct kernel_action s_action;
static int s_lock, s_is_caught, s_is_sure;

/* What the program changed past the filter must not hold a thread here for good. */
#define PATIENCE 1000
static __thread uintptr_t t_last_address __attribute__((tls_model("initial-exec"))), t_last_place __attribute__((tls_model("initial-exec")));
static __thread int t_repeats __attribute__((tls_model("initial-exec")));

static bool is_patient(uintptr_t address, uintptr_t place)
{
    bool is_same = address == t_last_address && place == t_last_place;
    t_last_address = address;
    t_last_place = place;
    t_repeats = is_same ? t_repeats + 1 : 0;
    return t_repeats < PATIENCE;
}

/* >= 0: try again. -EFAULT: it is none of ours. */
static long fill(const siginfo_t *info, const ucontext_t *context)
{
    const greg_t *r = context->uc_mcontext.gregs;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (info->si_code != SEGV_ACCERR || overlay_in_engine != 0 || !lazy_has(address) || !is_patient(address, (uintptr_t)r[REG_RIP]))
        return -EFAULT;
    int access = (r[REG_ERR] & ERROR_FETCH) != 0 ? PROT_EXEC : (r[REG_ERR] & ERROR_WRITE) != 0 ? PROT_WRITE : PROT_READ;
    return lazy_fill(address, 1, access);
}

/* What a plain file gives where it ends, or where the disk cannot read it. */
static void deliver_bus(siginfo_t *info, ucontext_t *context)
{
    struct kernel_action action;
    overlay_raw_syscall6(SYS_rt_sigaction, SIGBUS, 0, (long)&action, MASK_SIZE, 0, 0);
    bool is_blocked = (*(const uint64_t *)&context->uc_sigmask & SIGNAL_BIT(SIGBUS)) != 0;
    if (action.handler == SIG_DFL || action.handler == SIG_IGN || is_blocked) {
        signals_die_of(SIGBUS);
        return;
    }
    info->si_signo = SIGBUS;
    info->si_code = BUS_ADRERR;
    if ((action.flags & SA_RESETHAND) != 0) {
        const struct kernel_action plain = {.flags = 0};
        overlay_raw_syscall6(SYS_rt_sigaction, SIGBUS, (long)&plain, 0, MASK_SIZE, 0, 0);
    }
    signals_call(&action, SIGBUS, info, context);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    long result = fill(info, context);
    if (result == -EFAULT)
        signals_deliver(number, info, context);
    else if (result < 0)
        deliver_bus(info, context);
}

/* Where the program's own handler would run there runs ours, which calls it. */
static void catch_faults(struct kernel_action *before)
{
    const struct kernel_action *programs = signals_program_action(SIGSEGV);
    bool has_handler = programs->handler != SIG_DFL && programs->handler != SIG_IGN;
    uint64_t on_stack = has_handler ? programs->flags & SA_ONSTACK : SA_ONSTACK;
    s_action = (struct kernel_action){
        .handler = (void *)on_fault,
        .flags = SA_SIGINFO | SA_NODEFER | SA_RESTORER | on_stack,
        .restorer = trap_restorer(),
        .mask = overlay_all_signals & ~SIGNAL_BIT(SIGSEGV),
    };
    overlay_raw_syscall6(SYS_rt_sigaction, SIGSEGV, (long)&s_action, (long)before, MASK_SIZE, 0, 0);
}

void lazy_action_changed(void)
{
    catch_faults(NULL);
}

/* In the engine, on a stack of ours. */
int lazy_begin(void)
{
    if (__atomic_load_n(&s_is_sure, __ATOMIC_ACQUIRE) != 0)
        return 1;
    if (is_borrowed_memory())
        return 0;
    lock_take(&s_lock);
    if (s_is_caught == 0) {
        struct kernel_action before;
        overlay_raw_syscall6(SYS_rt_sigaction, SIGSEGV, 0, (long)&before, MASK_SIZE, 0, 0);
        signals_adopt_action(SIGSEGV, &before);
        catch_faults(NULL);
        if (overlay_interest != NULL)
            lazy_mark_interest((uint8_t *)overlay_interest);
        signals_clear_masks();
        s_is_caught = 1;
    }
    int is_sure = overlay_lazy_is_possible && !lazy_is_blocked_elsewhere();
    __atomic_store_n(&s_is_sure, is_sure, __ATOMIC_RELEASE);
    lock_give(&s_lock);
    return is_sure;
}
