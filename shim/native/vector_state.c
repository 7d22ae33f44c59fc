#include "trampoline.h"

#include <cpuid.h>

uint64_t overlay_xsave_size; /* 0: not asked yet */
uint8_t overlay_has_xsavec __attribute__((visibility("hidden")));

void overlay_vector_state_init(void)
{
    unsigned a, b, c, d;
    uint64_t size = 576; /* fxsave, aligned */
    /* Leaf 1: does the system use xsave at all? Leaf 13: how large is the area, is there xsavec? */
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0)
        goto done;
    if (__get_cpuid_count(13, 1, &a, &b, &c, &d) == 0 || (a & 2) == 0)
        goto done;
    __get_cpuid_count(13, 0, &a, &b, &c, &d);
    size = (uint64_t)b + 64;
    overlay_has_xsavec = 1;
done:
    /* Last, since other threads take it as the sign that all is known. */
    __atomic_store_n(&overlay_xsave_size, size, __ATOMIC_RELEASE);
}
