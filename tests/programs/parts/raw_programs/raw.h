/* System calls by an instruction of our own, in the way of assembler and of Rust's linux_raw. */
#ifndef RAW_H
#define RAW_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define raw(number, ...) raw_of((number), (const long[6]){__VA_ARGS__})
static inline long raw_of(long number, const long a[6])
{
    return raw6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

#endif
