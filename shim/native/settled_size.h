/* Format 8: the logical size from st_size alone. SettledSize.cs is the same arithmetic; a test compares them. */
#ifndef OVERLAY_SETTLED_SIZE_H
#define OVERLAY_SETTLED_SIZE_H

#include <stdint.h>

#include "format.h"

/* The logical size, or -1 where the header must be asked. block_size 0: not known. */
static inline int64_t settled_size(int64_t stored, uint32_t block_size)
{
    if (stored == 0)
        return 0;
    if (stored >= OVERLAY_INLINE_OFFSET && stored <= OVERLAY_PAGE_SIZE)
        return stored - OVERLAY_INLINE_OFFSET;
    if (stored <= OVERLAY_PAGE_SIZE || stored % 2 == 0 || block_size == 0)
        return -1;
    int64_t group = (int64_t)OVERLAY_GROUP_BLOCKS * block_size;
    int64_t stride = 3 * OVERLAY_PAGE_SIZE + 3 * group;
    int64_t inside = (stored % stride - 1) / 2;
    return stored < stride || inside > group ? -1 : (stored / stride - 1) * group + inside;
}

#endif
