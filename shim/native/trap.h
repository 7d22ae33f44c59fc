/*
 * The second way into the filter: Syscall User Dispatch. The kernel takes system calls from one stretch of memory only and sends SIGSYS
 * for all others; the handler gives them to the same filter, which so sees what does not go through libc's patched sites.
 *
 * The stretch is libc's text where that could be patched, with two instructions added behind its end (patch.h, overlay_patch_stubs):
 * calls of libc cost some 60 ns more then, all others about 1.3 us. Where it could not be patched it is overlay_raw_here, and every call
 * of the program's is trapped. No selector byte is used: nothing of the program, nor of the engine, ever runs with traps off.
 */
#ifndef OVERLAY_TRAP_H
#define OVERLAY_TRAP_H

#include "filter.h"
#include "own_signals.h"
#include "patch.h"

/* Set once, by trap_begin. */
extern uint8_t overlay_traps HIDDEN;

/* Beside PASS and HANDLED, where calls are trapped: the kernel gets the call, but not from where it is (trap_clone). */
enum { TRAP = 2 };

/* What "all signals blocked" means: SIGSYS is not among them where calls are trapped, since a trap that is blocked kills. */
extern uint64_t overlay_all_signals HIDDEN;

/*
 * In the constructor, last of all: from now on this thread, and all that come after it, are trapped. Without stubs everything is.
 * 0, or -errno where the kernel has no such thing (before Linux 5.11).
 */
long trap_begin(const struct overlay_patch_stubs *stubs) HIDDEN;

/* Traps are lost with fork and clone: the new thread or process has its own again, or does not live. Keeps no register but %rsp. */
void trap_begin_thread(void) HIDDEN;

/* From now on the filter does not run on the program's stacks: Go's are too small, for a signal's frame, too. */
void trap_use_signal_stack(void) HIDDEN;

/* What the handlers of our signals return through. */
void *trap_restorer(void) HIDDEN;

/* rt_sigprocmask, on the mask that the program will have. */
long trap_change_mask(const long arguments[4], uint64_t *mask) HIDDEN;

/*
 * Where the program's stack pointer was, below its red zone: how it goes on after a system call that is made at overlay_raw_entry, which
 * returns to `tail`. trap_tail.S knows these offsets.
 */
struct trap_frame {
    uintptr_t tail, resume;
    long rdi, rsi, rdx, r10, r8, r9;
    char room[128]; /* for what an argument points to */
};
#define TRAP_BELOW 320 /* the frame and 128 bytes of red zone */

/* A trapped call on its way through the filter: overlay_trap_run's frame. */
struct trap_call {
    struct overlay_call call;   /* and then as in a trampoline, for fork.c: */
    uintptr_t was_filtered;
    uintptr_t *copy_stack;
    uintptr_t unused;
    uintptr_t program_stack, program_next, program_flags;
    uintptr_t next, next_stack; /* where to go on; %rax is what call.number says */
};
void trap_filter(struct trap_call *trapped) HIDDEN;

/* Makes `frame` one for a clone that shares memory or has a thread pointer of its own, and alters the call's arguments to fit. 0 or -errno. */
long trap_clone(struct overlay_call *call, struct trap_frame *frame) HIDDEN;

/* Is this the thread pointer of a thread that libc has made? */
bool trap_is_libc_thread(uintptr_t pointer) HIDDEN;

/* trap_tail.S, raw_entry.S; most not with C's calling convention. */
extern char overlay_raw_here[] HIDDEN, overlay_raw_restorer[] HIDDEN, overlay_raw_end[] HIDDEN;
void overlay_trap_run(void) HIDDEN;
void overlay_trap_tail(void) HIDDEN;
void overlay_trap_clone_tail(void) HIDDEN;
void overlay_trap_return(uintptr_t stack) HIDDEN __attribute__((noreturn));
/* trampoline.S: the address behind a system call that is trapped on purpose. */
void overlay_trampoline_trapped(void) HIDDEN;

#endif
