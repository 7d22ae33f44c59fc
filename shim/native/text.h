/* String helpers of our own: libc's use vector registers, which belong to the program while the filter runs. */
#ifndef OVERLAY_TEXT_H
#define OVERLAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
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
