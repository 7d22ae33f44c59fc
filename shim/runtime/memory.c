/*
 * The runtime's and the engine's memory outside of the collected heap. Linked into the engine in place of libc's malloc (--wrap).
 *
 * libc's fork holds the allocator's locks while it waits, at the fork gate, for engine calls under way; and a signal handler
 * that uses a file may have interrupted malloc, in this thread or in one that the fork waits for. So no engine call takes libc's
 * locks, nor those of an allocator that the program brings with it (jemalloc, mimalloc). The few functions of libc that hand out
 * memory to be freed by the caller are here too: what they return would be the program's. So nothing that one allocator gave is freed by
 * another; a test looks at what the library asks of libc.
 *
 * What is allocated here is little and lives long: blocks of powers of two, in lists by size, never given back; only large ones
 * are mapped and unmapped one by one. The lock is held by engine calls only, which run with all signals blocked and never over a
 * fork.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define SMALLEST_LOG2 6
#define LARGEST_LOG2 16 /* above: a mapping of its own */
#define CHUNK ((size_t)256 << 10)

/* In front of what the caller gets. */
struct head {
    struct block *block;
    uint64_t unused; /* a multiple of 16 together */
};
struct block {
    uint64_t size; /* a power of two up to LARGEST_LOG2, else of the mapping */
    struct block *next;
};

#define OVERHEAD (sizeof(struct block) + sizeof(struct head))

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
FILE *__wrap_fopen64(const char *path, const char *mode);
ssize_t __wrap___getdelim(char **line, size_t *size, int delimiter, FILE *file);
long __wrap_sysconf(int name);
long __real_sysconf(int name);
char *__wrap_realpath(const char *path, char *resolved);
char *__real_realpath(const char *path, char *resolved);

static struct block *s_free[LARGEST_LOG2 + 1];
static char *s_rest, *s_rest_end;
static int s_lock;

static void lock(void)
{
    while (__atomic_exchange_n(&s_lock, 1, __ATOMIC_ACQUIRE) != 0)
        sched_yield();
}

static void unlock(void) { __atomic_store_n(&s_lock, 0, __ATOMIC_RELEASE); }

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static unsigned log2_of(size_t size)
{
    unsigned log2 = SMALLEST_LOG2;
    while (((size_t)1 << log2) < size)
        log2++;
    return log2;
}

static struct block *take(unsigned log2)
{
    size_t size = (size_t)1 << log2;
    lock();
    struct block *block = s_free[log2];
    if (block != NULL) {
        s_free[log2] = block->next;
    } else {
        if (s_rest == NULL || (size_t)(s_rest_end - s_rest) < size) {
            s_rest = map(CHUNK);
            s_rest_end = s_rest == NULL ? NULL : s_rest + CHUNK;
        }
        block = (struct block *)s_rest;
        if (block != NULL) {
            s_rest += size;
            block->size = size;
        }
    }
    unlock();
    return block;
}

static void *allocate(size_t alignment, size_t size)
{
    if (size > PTRDIFF_MAX / 2 || alignment > CHUNK)
        return NULL;
    size_t whole = size + OVERHEAD + alignment;
    struct block *block;
    if (whole <= (size_t)1 << LARGEST_LOG2) {
        block = take(log2_of(whole));
    } else {
        whole = (whole + 4095) & ~(size_t)4095;
        block = map(whole);
        if (block != NULL)
            block->size = whole;
    }
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t start = ((uintptr_t)block + OVERHEAD + alignment - 1) & ~(alignment - 1);
    struct head *head = (struct head *)start - 1;
    head->block = block;
    return (void *)start;
}

static struct block *block_of(void *memory)
{
    return ((struct head *)memory - 1)->block;
}

void *__wrap_malloc(size_t size) { return allocate(16, size); }

void *__wrap_aligned_alloc(size_t alignment, size_t size) { return allocate(alignment < 16 ? 16 : alignment, size); }

void *__wrap_calloc(size_t count, size_t size)
{
    if (size != 0 && count > PTRDIFF_MAX / 2 / size)
        return NULL;
    void *memory = allocate(16, count * size);
    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return allocate(16, size);
    struct block *block = block_of(memory);
    size_t there = (size_t)((char *)block + block->size - (char *)memory);
    if (size <= there)
        return memory;
    void *larger = allocate(16, size);
    if (larger != NULL) {
        memcpy(larger, memory, there);
        __wrap_free(memory);
    }
    return larger;
}

void __wrap_free(void *memory)
{
    if (memory == NULL)
        return;
    struct block *block = block_of(memory);
    if (block->size > (uint64_t)1 << LARGEST_LOG2) {
        munmap(block, block->size);
        return;
    }
    unsigned log2 = log2_of(block->size);
    lock();
    block->next = s_free[log2];
    s_free[log2] = block;
    unlock();
}

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    *text = length < 0 ? NULL : allocate(16, (size_t)length + 1);
    if (*text == NULL)
        return -1;
    va_start(arguments, format);
    length = vsnprintf(*text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return length;
}

/*
 * A collection asks how much memory is free, in /proc/meminfo, and libc allocates for every file that it opens. The heap has a limit
 * of its own (liboverlay-engine.csproj), so the runtime finds no file to read; sysinfo says it without.
 */
FILE *__wrap_fopen64(const char *path, const char *mode)
{
    (void)path;
    (void)mode;
    errno = ENOENT;
    return NULL;
}

/* What getline is in the runtime's code; of files that are never opened. */
ssize_t __wrap___getdelim(char **line, size_t *size, int delimiter, FILE *file)
{
    (void)line;
    (void)size;
    (void)delimiter;
    (void)file;
    return -1;
}

long __wrap_sysconf(int name)
{
    struct sysinfo info;
    if ((name != _SC_PHYS_PAGES && name != _SC_AVPHYS_PAGES) || sysinfo(&info) != 0)
        return __real_sysconf(name);
    uint64_t units = name == _SC_PHYS_PAGES ? info.totalram : info.freeram;
    return (long)(units * info.mem_unit / 4096);
}

char *__wrap_realpath(const char *path, char *resolved)
{
    char *place = resolved != NULL ? resolved : allocate(16, PATH_MAX);
    char *result = place == NULL ? NULL : __real_realpath(path, place);
    if (result == NULL && resolved == NULL)
        __wrap_free(place);
    return result;
}
