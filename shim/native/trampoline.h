/* Between a patched site and the filter. */
#ifndef OVERLAY_TRAMPOLINE_H
#define OVERLAY_TRAMPOLINE_H

#include <stdint.h>

/* One intercepted call; trampoline.S builds it on the stack and knows these offsets. */
struct overlay_call {
    long number;
    long args[6];
    uintptr_t site;    /* address of the `syscall` instruction in libc */
    long result;       /* read only when the filter has handled the call: a value or -errno */
};

/* Provided by the filter. 1: handled, the answer is call->result; 0: the kernel gets the call. Runs on the program's
 * stack, in place of the `syscall` instruction, so: general registers only (vector state belongs to the program), no
 * libc call, no errno. libc may rely on the argument registers after a call, so `args` must be left as they were; the
 * exceptions are calls that do not come back on success (execve). On a pass the kernel gets number and args as the
 * filter leaves them. */
long overlay_filter(struct overlay_call *call) __attribute__((visibility("hidden")));

/* What slots (patch_slot.c) call; not with C's calling convention. */
void overlay_trampoline_enter(void) __attribute__((visibility("hidden")));
void overlay_trampoline_enter_cancellable(void) __attribute__((visibility("hidden")));

/* For code that may use vector registers (the engine). Saves x87, SSE, AVX, AVX-512 and APX state on the stack (0.6 to 3
 * KiB, as much as this CPU has), gives `function` the state the C ABI promises (x87 empty, default rounding, exceptions
 * masked), calls it with `argument` and puts everything back. AMX tiles and protection keys are not touched: nothing the
 * engine runs changes them. A signal handler that does not return leaves nothing behind. */
void overlay_with_vector_state_saved(void (*function)(void *), void *argument) __attribute__((visibility("hidden")));

#endif
