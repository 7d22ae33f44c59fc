/* Part of liboverlay-engine.so: see native/heap.h. */
#include "../native/heap.h"

#define HERE __attribute__((visibility("hidden")))

HERE void *malloc(size_t size);
HERE void *calloc(size_t count, size_t size);
HERE void *realloc(void *memory, size_t size);
HERE void *aligned_alloc(size_t alignment, size_t size);
HERE int posix_memalign(void **memory, size_t alignment, size_t size);
HERE void free(void *memory);

void *malloc(size_t size) { return overlay_heap.malloc(size); }
void *calloc(size_t count, size_t size) { return overlay_heap.calloc(count, size); }
void *realloc(void *memory, size_t size) { return overlay_heap.realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return overlay_heap.aligned_alloc(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) { return overlay_heap.posix_memalign(memory, alignment, size); }
void free(void *memory) { overlay_heap.free(memory); }
