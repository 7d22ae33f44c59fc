/* The kernel's own entry: no errno, no cancellation, not patched. Returns -errno. */
#ifndef OVERLAY_RAW_SYSCALL_H
#define OVERLAY_RAW_SYSCALL_H

/*
 * Under Syscall User Dispatch (trap.h) the kernel takes system calls from one stretch of memory only, so code of the shim makes its own
 * there: this is where. Elsewhere, and until then, it is overlay_raw_here in raw_entry.S.
 */
#ifdef OVERLAY_RAW_ENTRY
extern void (*overlay_raw_entry)(void) __attribute__((visibility("hidden")));
#define OVERLAY_ENTER "call *%[entry]" /* compiled with -mno-red-zone */
#define OVERLAY_ENTRY , [entry] "m"(overlay_raw_entry)
#else
#define OVERLAY_ENTER "syscall"
#define OVERLAY_ENTRY
#endif

static inline long overlay_raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile(OVERLAY_ENTER
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) OVERLAY_ENTRY
                     : "rcx", "r11", "cc", "memory");
    return result;
}

static inline long overlay_raw_syscall3(long number, long a, long b, long c)
{
    return overlay_raw_syscall6(number, a, b, c, 0, 0, 0);
}

/* The kernel's own test for "this result is -errno". */
static inline int overlay_is_error(long result)
{
    return (unsigned long)result > -4096UL;
}

#endif
