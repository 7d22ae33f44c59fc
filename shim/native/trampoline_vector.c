#include <cpuid.h>
#include <stdint.h>
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define HAS_LIBCS_ANSWERS
#endif

#include "trampoline_offsets.h"

__attribute__((visibility("hidden"))) uint32_t overlay_vector_method = VECTOR_NOT_ASKED;
__attribute__((visibility("hidden"))) uint32_t overlay_vector_mask;              /* state components, bits 0-31 */
__attribute__((visibility("hidden"))) uint64_t overlay_vector_size = 512;        /* bytes, a multiple of 64 */
__attribute__((visibility("hidden"))) uint32_t overlay_vector_has_avx;

#define LEGACY_AND_HEADER 576u
/* x87, SSE, AVX, AVX-512 (three components), APX registers */
#define WANTED_COMPONENTS (0xe7u | 1u << 19)
#define UP_TO_AVX 0x7u
#define UP_TO_AVX512 0xe7u
#define HAS_XSAVEC 2u
#define HAS_XGETBV_IN_USE 4u

struct processor {
    uint32_t signature, features; /* of leaf 1: %eax, %ecx */
    uint32_t more_features;       /* of leaf 7: %ebx */
    uint32_t saving;              /* of leaf 13, 1: %eax */
};

/* Under a hypervisor each question to the CPU takes up to 20 microseconds; libc (2.33 and later) has asked already. */
static struct processor ask_processor(void)
{
#ifdef HAS_LIBCS_ANSWERS
    const uint32_t *first = __x86_get_cpuid_feature_leaf(CPUID_INDEX_1)->cpuid_array;
    return (struct processor){ first[0], first[2], __x86_get_cpuid_feature_leaf(CPUID_INDEX_7)->cpuid_array[1],
                               __x86_get_cpuid_feature_leaf(CPUID_INDEX_D_ECX_1)->cpuid_array[0] };
#else
    uint32_t a, b, c, d, signature, features, more_features, saving;
    __cpuid(1, signature, b, features, d);
    __cpuid_count(7, 0, a, more_features, c, d);
    __cpuid_count(0xd, 1, saving, b, c, d);
    return (struct processor){ signature, features, more_features, saving };
#endif
}

/* Skylake and its kin run slower for milliseconds after any instruction on 512 bits. */
static int is_slowed_by_512_bits(uint32_t signature)
{
    return (signature & 0x0fff0ff0) == 0x00050650;
}

static uint32_t enabled_components(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* A save area without gaps, of components whose sizes follow from the registers; 0: others are among them. */
static uint64_t plain_size(uint32_t mask)
{
    return mask & ~UP_TO_AVX512 ? 0 : LEGACY_AND_HEADER + (mask & 4 ? 256 : 0) + (mask & 0x20 ? 64 : 0) + (mask & 0x40 ? 512 : 0) +
                                          (mask & 0x80 ? 1024 : 0);
}

/* The size of a save area that holds `mask`: compacted, or with every component at its standard offset. */
static uint64_t area_size(uint32_t mask, int compacted)
{
    uint64_t size = compacted ? plain_size(mask) : 0;

    if (size != 0)
        return (size + 63) & ~63ul;
    size = LEGACY_AND_HEADER;
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

static uint32_t best_method(const struct processor *processor, uint32_t mask)
{
    if (!(processor->saving & HAS_XSAVEC))
        return VECTOR_XSAVE;
    if (processor->saving & HAS_XGETBV_IN_USE) {
        if (mask == UP_TO_AVX)
            return VECTOR_YMM;
        if (mask == UP_TO_AVX512 && (processor->more_features & bit_AVX512BW) && !is_slowed_by_512_bits(processor->signature))
            return VECTOR_ZMM;
    }
    return VECTOR_XSAVEC;
}

/* Called by overlay_with_vector_state_saved when it first runs and not before, since few programs need the answer. Threads that
 * come here at once write the same. Nothing here may use vector registers. */
__attribute__((visibility("hidden"))) void overlay_vector_state_ask(void)
{
    const struct processor processor = ask_processor();

    if (!(processor.features & bit_OSXSAVE)) {
        __atomic_store_n(&overlay_vector_method, VECTOR_FXSAVE, __ATOMIC_RELEASE);
        return;
    }
    overlay_vector_mask = enabled_components() & WANTED_COMPONENTS;
    overlay_vector_has_avx = overlay_vector_mask >> 2 & 1;
    uint32_t method = best_method(&processor, overlay_vector_mask);
    overlay_vector_size = area_size(overlay_vector_mask, method != VECTOR_XSAVE);
    /* Last: it tells other threads that the rest is known. */
    __atomic_store_n(&overlay_vector_method, method, __ATOMIC_RELEASE);
}
