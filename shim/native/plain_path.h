/* Is a path as text what the kernel makes of it, but for symbolic links? Asked of nearly each path, so by words. */
#ifndef OVERLAY_PLAIN_PATH_H
#define OVERLAY_PLAIN_PATH_H

#include "text.h"

/* Without "//", as far as words of eight bytes tell; "/." looks like it. */
static inline bool is_without_double_slash(const char *path)
{
    bool is_behind_slash = false;
    for (; (uintptr_t)path % 8 != 0; path++) {
        if (*path == 0)
            return true;
        if (is_behind_slash && *path == '/')
            return false;
        is_behind_slash = *path == '/';
    }
    for (;; path += 8) {
        uint64_t word = *(const text_word *)path, end = text_zeros(word), slashes = text_zeros(word ^ TEXT_ONES * '/');
        if (end != 0)
            slashes &= (end & -end) - 1;
        if ((slashes & slashes << 8) != 0 || (is_behind_slash && (slashes & 0x80) != 0))
            return false;
        if (end != 0)
            return true;
        is_behind_slash = slashes >> 63 != 0;
    }
}

static inline bool has_dot_component(const char *path)
{
    for (const char *c = text_find(path, '.'); *c != 0; c = text_find(c + 1, '.'))
        if ((c == path || c[-1] == '/') && (c[1] == 0 || c[1] == '/' || (c[1] == '.' && (c[2] == 0 || c[2] == '/'))))
            return true;
    return false;
}

/* Without "//" and components "." and "..": as text it is what the kernel makes of it, but for symbolic links. */
static inline bool is_plain_path(const char *path)
{
    if (is_without_double_slash(path))
        return !has_dot_component(path);
    const char *part = path + (path[0] == '/');
    for (const char *c = part;; c++) {
        if (*c != 0 && *c != '/')
            continue;
        size_t length = (size_t)(c - part);
        if ((length == 0 && *c != 0) || (length <= 2 && length > 0 && part[0] == '.' && part[length - 1] == '.'))
            return false;
        if (*c == 0)
            return true;
        part = c + 1;
    }
}

/* What one look at a path tells: nearly all are PATH_PLAIN, without "//" and components that begin with a dot. */
enum path_look { PATH_UNREADABLE, PATH_PLAIN, PATH_OTHER };

/*
 * By aligned words, the first one with harmless bytes in place of those before the path; a page is asked about before it is read. Where a byte
 * is taken for a slash or a dot that is none (text_zeros), the look is PATH_OTHER at worst.
 */
static inline enum path_look look_at_path(const char *path, size_t limit, bool (*is_page_readable)(uintptr_t at, bool is_writing))
{
    uintptr_t start = (uintptr_t)path, at = start & -8UL;
    uint64_t before = (1UL << start % 8 * 8) - 1, slash_before = 0, start_or_slash = 0x80UL << start % 8 * 8, strange = 0, end;
    if (!is_page_readable(start, false))
        return PATH_UNREADABLE;
    uint64_t word = (*(const text_word *)at & ~before) | (TEXT_ONES & before);
    for (;;) {
        uint64_t slashes = text_zeros(word ^ TEXT_ONES * '/'), dots = text_zeros(word ^ TEXT_ONES * '.');
        end = text_zeros(word);
        if (end != 0) {
            slashes &= (end & -end) - 1;
            dots &= (end & -end) - 1;
        }
        strange |= (slashes & (slashes << 8 | slash_before)) | (dots & (slashes << 8 | start_or_slash));
        if (end != 0)
            break;
        slash_before = start_or_slash = slashes >> 56;
        at += 8;
        if (at - start >= limit || (at % 4096 == 0 && !is_page_readable(at, false)))
            return PATH_UNREADABLE;
        word = *(const text_word *)at;
    }
    if (at + (size_t)__builtin_ctzll(end) / 8 - start >= limit)
        return PATH_UNREADABLE;
    return strange == 0 ? PATH_PLAIN : PATH_OTHER;
}

#endif
