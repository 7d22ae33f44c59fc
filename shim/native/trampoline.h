/* Between a patched site and the filter. */
#ifndef OVERLAY_TRAMPOLINE_H
#define OVERLAY_TRAMPOLINE_H

#include <stdint.h>

/* One intercepted call; trampoline.S builds it on the stack and knows these offsets. */
struct overlay_call {
    long number;
    long args[6];
    long result;
};

/* 1: handled, the answer is call->result; 0: the kernel gets the call as it came. */
long overlay_filter(struct overlay_call *call) __attribute__((visibility("hidden")));

/* Where every stub jumps to, with rax = number, rcx = where the program goes on; a `syscall` lies right before that. */
void overlay_entry(void) __attribute__((visibility("hidden")));

/* Calls function(argument) with x87, SSE, AVX and AVX-512 state saved around it. */
void overlay_with_vector_state_saved(void (*function)(void *), void *argument) __attribute__((visibility("hidden")));

/* Asks the processor what there is to save; once, before the first use. */
void overlay_vector_state_init(void) __attribute__((visibility("hidden")));

extern uint64_t overlay_xsave_size __attribute__((visibility("hidden")));

#endif
