#include "heap.h"

#include <stdlib.h>

/* Bound for the shim, which is bound as the program is. */
const struct overlay_heap overlay_heap = {malloc, calloc, realloc, aligned_alloc, posix_memalign, free};
