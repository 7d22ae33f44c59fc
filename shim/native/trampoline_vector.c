#include <cpuid.h>
#include <stdint.h>

#include "trampoline_offsets.h"

__attribute__((visibility("hidden"))) uint32_t overlay_vector_method = VECTOR_NOT_ASKED;
__attribute__((visibility("hidden"))) uint32_t overlay_vector_mask;              /* state components, bits 0-31 */
__attribute__((visibility("hidden"))) uint64_t overlay_vector_size = 512;        /* bytes, a multiple of 64 */
__attribute__((visibility("hidden"))) uint32_t overlay_vector_has_avx;

#define LEGACY_AND_HEADER 576u
/* x87, SSE, AVX, AVX-512 (three components), APX registers */
#define WANTED_COMPONENTS (0xe7u | 1u << 19)
#define UP_TO_AVX 0x7u
#define HAS_XSAVEC 2u
#define HAS_XGETBV_IN_USE 4u

static uint32_t enabled_components(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* The size of a save area that holds `mask`: compacted, or with every component at its standard offset. */
static uint64_t area_size(uint32_t mask, int compacted)
{
    uint64_t size = LEGACY_AND_HEADER;

    for (uint32_t component = 2; component < 32; component++) {
        uint32_t bytes, offset, flags, unused;
        if (!(mask >> component & 1))
            continue;
        __cpuid_count(0xd, component, bytes, offset, flags, unused);
        if (compacted)
            size = (flags & 2 ? (size + 63) & ~63ul : size) + bytes;
        else if (offset + bytes > size)
            size = offset + bytes;
    }
    return (size + 63) & ~63ul;
}

/* Called by overlay_with_vector_state_saved when it first runs and not before, since each question to the CPU costs tens
 * of microseconds on a virtual machine and few programs need the answer. Threads that come here at once write the same. */
__attribute__((visibility("hidden"))) void overlay_vector_state_ask(void)
{
    uint32_t a, b, c, d, method;

    __cpuid(1, a, b, c, d);
    if (!(c & bit_OSXSAVE)) {
        __atomic_store_n(&overlay_vector_method, VECTOR_FXSAVE, __ATOMIC_RELEASE);
        return;
    }
    overlay_vector_mask = enabled_components() & WANTED_COMPONENTS;
    overlay_vector_has_avx = overlay_vector_mask >> 2 & 1;
    __cpuid_count(0xd, 1, a, b, c, d);
    method = a & HAS_XSAVEC ? VECTOR_XSAVEC : VECTOR_XSAVE;
    overlay_vector_size = area_size(overlay_vector_mask, method == VECTOR_XSAVEC);
    if (method == VECTOR_XSAVEC && (a & HAS_XGETBV_IN_USE) && overlay_vector_mask == UP_TO_AVX)
        method = VECTOR_YMM;
    /* Last: it tells other threads that the rest is known. */
    __atomic_store_n(&overlay_vector_method, method, __ATOMIC_RELEASE);
}
