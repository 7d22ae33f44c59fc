#include "own_stack.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "syscalls.h"
#include "trap.h"

#define STACK_SIZE (256L << 10) /* most is never touched, and so takes no memory */
#define TRAP_STACK_SIZE (128L << 10) /* below it */
#define GUARD_SIZE 4096L

/* own_stack_enter.S */
long overlay_call_on_stack(uintptr_t top, own_stack_function function, const long *arguments) HIDDEN;

/* At the upper end of its memory. None is ever unmapped: there are as many as there were threads at once. */
struct own_stack {
    struct own_stack *next;
    int owner; /* a thread, which may have ended; or 0 */
    int in_use; /* that thread is on it, with all signals blocked */
} __attribute__((aligned(64)));

static struct own_stack *s_stacks;
static __thread struct own_stack *t_stack __attribute__((tls_model("initial-exec")));

static int thread_id(void)
{
    return (int)overlay_raw_syscall6(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* libc's last call in a thread cannot be intercepted, so nobody says that a thread has ended. Our own number as owner is one that had it. */
static bool is_free(int owner, int self)
{
    return owner == 0 || owner == self || overlay_raw_syscall6(SYS_tgkill, overlay_own_pid, owner, 0, 0, 0, 0) == -ESRCH;
}

/* Where there are very many threads it is better to map one more than to ask about all. */
#define ASKED_LIMIT 256

static struct own_stack *take_free(int self)
{
    struct own_stack *stack = __atomic_load_n(&s_stacks, __ATOMIC_ACQUIRE);
    for (int asked = 0; stack != NULL && asked < ASKED_LIMIT; stack = stack->next, asked++) {
        int owner = __atomic_load_n(&stack->owner, __ATOMIC_RELAXED);
        if (is_free(owner, self) &&
            __atomic_compare_exchange_n(&stack->owner, &owner, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return stack;
    }
    return NULL;
}

static long map_memory(long size)
{
    long low = overlay_raw_syscall6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (!overlay_is_error(low))
        overlay_raw_syscall6(SYS_mprotect, low, GUARD_SIZE, PROT_NONE, 0, 0, 0);
    return low;
}

static struct own_stack *map_new(int self)
{
    long size = overlay_traps != 0 ? TRAP_STACK_SIZE + STACK_SIZE : STACK_SIZE, low = map_memory(size);
    if (overlay_is_error(low))
        return NULL;
    if (overlay_traps != 0)
        overlay_raw_syscall6(SYS_mprotect, low + TRAP_STACK_SIZE, GUARD_SIZE, PROT_NONE, 0, 0, 0);
    struct own_stack *stack = (struct own_stack *)(low + size) - 1;
    stack->owner = self;
    stack->next = __atomic_load_n(&s_stacks, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&s_stacks, &stack->next, stack, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    return stack;
}

static void take(void)
{
    int self = t_stack == NULL ? thread_id() : 0;
    if (t_stack == NULL && (t_stack = take_free(self)) == NULL)
        t_stack = map_new(self);
}

uintptr_t own_stack_for_trap(uintptr_t stack)
{
    take();
    uintptr_t top = (uintptr_t)t_stack;
    if (top == 0 || (stack < top && stack >= top - STACK_SIZE - TRAP_STACK_SIZE))
        return 0;
    return (top & -GUARD_SIZE) + GUARD_SIZE - STACK_SIZE;
}

/* By the stack pointer, not by a mark: a handler of a fault may jump away. */
static bool is_on_own_stack(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), top = (uintptr_t)t_stack;
    return here < top && here >= top - STACK_SIZE;
}

long own_stack_run(own_stack_function function, const long *arguments)
{
    if (is_on_own_stack())
        return function(arguments);
    uint64_t all = overlay_all_signals, before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    /* Who borrows our memory has our thread's stack, too, and that of the thread may be in use. */
    bool is_borrowed = is_borrowed_memory();
    if (!is_borrowed)
        take();
    if (t_stack == NULL || is_borrowed) {
        long result = function(arguments);
        signals_give_back(before);
        return result;
    }
    __atomic_store_n(&t_stack->in_use, 1, __ATOMIC_RELAXED);
    long result = overlay_call_on_stack((uintptr_t)t_stack, function, arguments);
    signals_give_back(before);
    if (t_stack != NULL) /* a thread that ends has given it back */
        __atomic_store_n(&t_stack->in_use, 0, __ATOMIC_RELAXED);
    return result;
}

long own_stack_run_apart(own_stack_function function, const long *arguments)
{
    /* Who borrows our memory would leave it behind there; posix_spawn gives it 32 KiB of stack, which is enough. */
    long low = is_borrowed_memory() ? -ENOMEM : map_memory(STACK_SIZE);
    if (overlay_is_error(low))
        return function(arguments);
    long result = overlay_call_on_stack((uintptr_t)low + STACK_SIZE, function, arguments);
    overlay_raw_syscall6(SYS_munmap, low, STACK_SIZE, 0, 0, 0, 0);
    return result;
}

bool own_stack_is_in_use(int thread)
{
    for (struct own_stack *stack = __atomic_load_n(&s_stacks, __ATOMIC_ACQUIRE); stack != NULL; stack = stack->next)
        if (__atomic_load_n(&stack->owner, __ATOMIC_RELAXED) == thread)
            return __atomic_load_n(&stack->in_use, __ATOMIC_RELAXED) != 0;
    return false;
}

void own_stack_give_back(void)
{
    struct own_stack *stack = t_stack;
    if (stack == NULL)
        return;
    t_stack = NULL;
    __atomic_store_n(&stack->in_use, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&stack->owner, 0, __ATOMIC_RELEASE);
}

void own_stacks_in_child(void)
{
    for (struct own_stack *stack = s_stacks; stack != NULL; stack = stack->next) {
        stack->owner = stack == t_stack ? overlay_own_pid : 0;
        stack->in_use = stack == t_stack && is_on_own_stack();
    }
}
