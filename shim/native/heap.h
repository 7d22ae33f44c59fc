/*
 * The program's allocator, for the engine. The engine is bound to its own libraries first (RTLD_DEEPBIND), so to libc's malloc, but a
 * program may bring another (jemalloc), from which then comes what libc's functions allocate for their callers (getdelim).
 * Linked into the engine, heap.c sends it to the one that everybody else uses.
 */
#ifndef OVERLAY_HEAP_H
#define OVERLAY_HEAP_H

#include <stddef.h>

struct overlay_heap {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *memory, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **memory, size_t alignment, size_t size);
    void (*free)(void *memory);
};
extern const struct overlay_heap overlay_heap __attribute__((visibility("default")));

#endif
