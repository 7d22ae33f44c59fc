#include "patch_scan.h"

#include <emmintrin.h>
#include <string.h>

uintptr_t overlay_scan_syscall(uintptr_t from, uintptr_t end)
{
    const __m128i first = _mm_set1_epi8(0x0f), second = _mm_set1_epi8(0x05);

    for (; from + 17 <= end; from += 16) {
        __m128i here = _mm_loadu_si128((const __m128i *)from), next = _mm_loadu_si128((const __m128i *)(from + 1));
        int hits = _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(here, first), _mm_cmpeq_epi8(next, second)));
        if (hits)
            return from + (unsigned)__builtin_ctz((unsigned)hits);
    }
    for (; from + 2 <= end; from++)
        if (((const uint8_t *)from)[0] == 0x0f && ((const uint8_t *)from)[1] == 0x05)
            return from;
    return end;
}

static int leads_to(uintptr_t at, uintptr_t target)
{
    int32_t relative;
    memcpy(&relative, (const void *)(at + 1), 4);
    return at + 5 + (uintptr_t)(intptr_t)relative == target;
}

uintptr_t overlay_scan_call(uintptr_t from, uintptr_t end, uintptr_t target)
{
    const __m128i mask = _mm_set1_epi8((char)0xfe), opcode = _mm_set1_epi8((char)0xe8);

    for (; from + 20 <= end; from += 16) {
        __m128i here = _mm_and_si128(_mm_loadu_si128((const __m128i *)from), mask);
        for (int hits = _mm_movemask_epi8(_mm_cmpeq_epi8(here, opcode)); hits; hits &= hits - 1) {
            uintptr_t at = from + (unsigned)__builtin_ctz((unsigned)hits);
            if (leads_to(at, target))
                return at;
        }
    }
    for (; from + 5 <= end; from++)
        if ((*(const uint8_t *)from & 0xfe) == 0xe8 && leads_to(from, target))
            return from;
    return end;
}
