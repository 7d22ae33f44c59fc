/* Finding sites in machine code. Runs once a process, before any other thread exists; may use vector registers. */
#include "patch.h"

#include <emmintrin.h>

#include "text.h"

/* Instructions right before a `syscall` that may be moved into a stub: no branch, nothing relative to rip. */
static const struct {
    uint8_t length;
    uint8_t bytes[8], mask[8];
} s_heads[] = {
    {3, {0x44, 0x89, 0xc0}, {0xff, 0xff, 0xc7}},                                           /* mov %r8d..%r15d,%eax */
    {3, {0x83, 0xc2, 0x01}, {0xff, 0xff, 0xff}},                                           /* add $1,%edx */
    {7, {0xc6, 0x85, 0, 0, 0xff, 0xff, 0x73}, {0xff, 0xff, 0, 0, 0xff, 0xff, 0xff}},       /* movb $'s',disp32(%rbp) */
    {3, {0x8b, 0x7d, 0x80}, {0xff, 0xff, 0x80}},                                           /* mov -disp8(%rbp),%edi */
};

static bool matches_head(const uint8_t *code, unsigned index)
{
    for (unsigned i = 0; i < s_heads[index].length; i++)
        if ((code[i] & s_heads[index].mask[i]) != (s_heads[index].bytes[i] & s_heads[index].mask[i]))
            return false;
    return true;
}

static void classify(const uint8_t *at, const uint8_t *begin, const uint8_t *end, struct patch_site *site)
{
    *site = (struct patch_site){.syscall = (uint8_t *)at, .kind = PATCH_NONE, .number = -1};
    if (at - begin >= 5 && at[-5] == 0xb8) {
        int number;
        text_copy((char *)&number, (const char *)at - 4, sizeof number); /* not memcpy: libc cannot run now */
        /* Any other imm32 would be some instruction's tail: no system call has such a number. */
        if (number >= 0 && number < 0x1000) {
            site->kind = PATCH_MOV;
            site->start = (uint8_t *)at - 5;
            site->length = 5;
            site->number = number;
            return;
        }
    }
    static const uint8_t compare[] = {0x3d, 0xff, 0xff, 0xff};
    const uint8_t *tail = at + 2;
    unsigned prefix = tail < end && tail[0] == 0x48;
    if (end - tail >= 6 && tail[prefix] == compare[0] && tail[prefix + 3] == 0xff && tail[prefix + 4] == 0xff) {
        site->kind = PATCH_TAIL;
        site->start = (uint8_t *)at;
        site->length = (uint8_t)(2 + prefix + 5);
        return;
    }
    for (unsigned i = 0; i < sizeof s_heads / sizeof s_heads[0]; i++) {
        unsigned length = s_heads[i].length;
        if ((unsigned long)(at - begin) < length || !matches_head(at - length, i))
            continue;
        site->kind = PATCH_HEAD;
        site->start = (uint8_t *)at - length;
        site->length = (uint8_t)(length + 2);
        return;
    }
}

bool patch_next_site(const uint8_t **cursor, const uint8_t *begin, const uint8_t *end, struct patch_site *site)
{
    const __m128i first = _mm_set1_epi8(0x0f), second = _mm_set1_epi8(0x05);
    const uint8_t *at = *cursor;
    for (; end - at >= 17; at += 16) {
        __m128i here = _mm_loadu_si128((const __m128i *)at), next = _mm_loadu_si128((const __m128i *)(at + 1));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(here, first), _mm_cmpeq_epi8(next, second)));
        if (found == 0)
            continue;
        at += __builtin_ctz(found);
        classify(at, begin, end, site);
        *cursor = at + 2;
        return true;
    }
    for (; end - at >= 2; at++) {
        if (at[0] != 0x0f || at[1] != 0x05)
            continue;
        classify(at, begin, end, site);
        *cursor = at + 2;
        return true;
    }
    return false;
}
