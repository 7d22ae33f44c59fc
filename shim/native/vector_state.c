#include "trampoline.h"

#include <cpuid.h>

uint64_t overlay_xsave_size = 576;
uint8_t overlay_has_xsavec __attribute__((visibility("hidden")));

void overlay_vector_state_init(void)
{
    unsigned a, b, c, d;
    /* Leaf 1: does the system use xsave at all? Leaf 13: how large is the area, is there xsavec? */
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0)
        return;
    if (__get_cpuid_count(13, 1, &a, &b, &c, &d) == 0 || (a & 2) == 0)
        return;
    __get_cpuid_count(13, 0, &a, &b, &c, &d);
    overlay_xsave_size = (uint64_t)b + 64;
    overlay_has_xsavec = 1;
}
