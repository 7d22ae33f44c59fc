/* String helpers of our own: libc's use vector registers, which belong to the program while the filter runs. */
#ifndef OVERLAY_TEXT_H
#define OVERLAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) text_word;
#define TEXT_ONES 0x0101010101010101ULL

/* The high bit of each byte that is 0; above the first such byte others may be marked, too. */
static inline uint64_t text_zeros(uint64_t word)
{
    return (word - TEXT_ONES) & ~word & TEXT_ONES << 7;
}

/* Where `wanted` is for the first time, or the end. Words are read whole; an aligned one never leaves its page. */
static inline const char *text_find(const char *text, char wanted)
{
    for (; (uintptr_t)text % 8 != 0; text++)
        if (*text == wanted || *text == 0)
            return text;
    for (;; text += 8) {
        uint64_t word = *(const text_word *)text;
        uint64_t found = text_zeros(word) | text_zeros(word ^ TEXT_ONES * (uint8_t)wanted);
        if (found != 0)
            return text + __builtin_ctzll(found) / 8;
    }
}

static inline size_t text_length(const char *text)
{
    return (size_t)(text_find(text, 0) - text);
}

static inline void text_copy(char *target, const char *source, size_t length)
{
    for (size_t i = 0; i < length; i++)
        target[i] = source[i];
}

static inline bool text_starts(const char *text, const char *prefix)
{
    while (*prefix != 0)
        if (*text++ != *prefix++)
            return false;
    return true;
}

static inline bool text_same(const char *a, const char *b)
{
    while (*a != 0 && *a == *b)
        a++, b++;
    return *a == *b;
}

/* Writes `value` in decimal, returns the number of characters (at most 20). */
static inline size_t text_decimal(char *target, unsigned long value)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    for (size_t i = 0; i < count; i++)
        target[i] = digits[count - 1 - i];
    return count;
}

#endif
