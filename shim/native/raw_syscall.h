/* System calls that do not go through libc: no errno, no cancellation, never intercepted. Answer a value or -errno. */
#ifndef OVERLAY_RAW_SYSCALL_H
#define OVERLAY_RAW_SYSCALL_H

static inline __attribute__((always_inline)) long overlay_raw_syscall6(long nr, long a, long b, long c, long d, long e,
                                                                      long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline)) long overlay_raw_syscall4(long nr, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline)) long overlay_raw_syscall3(long nr, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

/* The kernel's own test for "this result is -errno". */
static inline __attribute__((always_inline)) int overlay_is_error(long result)
{
    return (unsigned long)result > -4096UL;
}

#endif
