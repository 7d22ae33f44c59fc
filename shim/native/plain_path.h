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

#endif
