/*
 * Linked into the engine: its allocator is the program's. The engine is loaded with RTLD_DEEPBIND, so its malloc would be libc's also
 * where the program brings one of its own (mimalloc in mold, jemalloc, tcmalloc); but what libc hands out (getline, realpath) comes
 * from the program's, and freeing that with the other one aborts the program.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

#define FORWARD(result, name, parameters, arguments)                                                                   \
    result name parameters                                                                                             \
    {                                                                                                                  \
        static result(*s_program) parameters;                                                                          \
        result(*target) parameters = __atomic_load_n(&s_program, __ATOMIC_RELAXED);                                    \
        if (target == NULL) {                                                                                          \
            *(void **)&target = in_program(#name);                                                                     \
            __atomic_store_n(&s_program, target, __ATOMIC_RELAXED);                                                    \
        }                                                                                                              \
        return target arguments;                                                                                       \
    }

/* By the program's handle: its scope, in its order, not this library's. */
static void *in_program(const char *name)
{
    return dlsym(dlopen(NULL, RTLD_LAZY), name);
}

FORWARD(void *, malloc, (size_t size), (size))
FORWARD(void *, calloc, (size_t count, size_t size), (count, size))
FORWARD(void *, realloc, (void *memory, size_t size), (memory, size))
FORWARD(int, posix_memalign, (void **memory, size_t alignment, size_t size), (memory, alignment, size))
FORWARD(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
FORWARD(void, free, (void *memory), (memory))
