/*
 * The call filter: decides for each intercepted system call whether it concerns a sealed file.
 *
 * Rules that every file here keeps:
 *  - no libc call outside of engine.c's guarded slow path (libc may use vector registers, locks, errno);
 *  - no allocation; scratch buffers live on the stack, at most a path long;
 *  - a call that is not ours goes to the kernel exactly as it came.
 */
#ifndef OVERLAY_FILTER_H
#define OVERLAY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "raw_syscall.h"
#include "trampoline.h"

#define HIDDEN __attribute__((visibility("hidden")))
/* For arrays of a page and more: behind all other variables (Makefile), so that these lie on few pages. */
#define LARGE __attribute__((section(".bss.~")))
#define PATH_SIZE 4096

/* A handler returns PASS (the kernel gets the call) or HANDLED (call->result is the answer). */
enum { PASS = 0, HANDLED = 1 };

typedef int (*call_handler)(struct overlay_call *call);

static inline int answer(struct overlay_call *call, long result)
{
    call->result = result;
    return HANDLED;
}

/* The number of the process that owns this memory; a CLONE_VM child (posix_spawn) has another one. */
extern int overlay_own_pid HIDDEN;

/* Whether such a child was ever made (borrowed.c): before that nobody has to be asked. */
extern int overlay_may_be_borrowed HIDDEN;

static inline bool is_borrowed_memory(void)
{
    return __atomic_load_n(&overlay_may_be_borrowed, __ATOMIC_RELAXED) != 0 &&
           (int)overlay_raw_syscall6(39 /* getpid */, 0, 0, 0, 0, 0, 0) != overlay_own_pid;
}

/* True in the kernel's half or the first page: the kernel answers EFAULT to such a pointer, so we must not follow it. */
static inline bool is_bad_pointer(long pointer)
{
    return (uint64_t)pointer < 4096 || (uint64_t)pointer >= 0x7ffffffff000ULL;
}

#endif
