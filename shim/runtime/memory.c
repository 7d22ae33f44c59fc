/*
 * The runtime's and the engine's memory outside of the collected heap. Linked into the engine in place of libc's malloc (--wrap).
 *
 * libc's fork holds the allocator's locks while it waits, at the fork gate, for engine calls under way; and a signal handler
 * that uses a file may have interrupted malloc, in this thread or in one that the fork waits for. So no engine call takes libc's
 * locks. What is allocated here is little and lives long: blocks of powers of two, in lists by size, never given back; only
 * large ones are mapped and unmapped one by one. The lock is held by engine calls only, which run with all signals blocked and
 * never over a fork.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define SMALLEST_LOG2 6
#define LARGEST_LOG2 16 /* above: a mapping of its own */
#define CHUNK ((size_t)256 << 10)

/* In front of what the caller gets; libc's own blocks, which asprintf and the like return, have no such mark. */
struct head {
    uint64_t mark;
    struct block *block;
};
struct block {
    uint64_t size; /* a power of two up to LARGEST_LOG2, else of the mapping */
    struct block *next;
};

#define MARK 0x4F7665726C61794DULL
#define OVERHEAD (sizeof(struct block) + sizeof(struct head))

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);

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
    head->mark = MARK;
    head->block = block;
    return (void *)start;
}

static struct head *head_of(void *memory)
{
    struct head *head = (struct head *)memory - 1;
    return head->mark == MARK ? head : NULL;
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
    struct head *head = head_of(memory);
    if (head == NULL)
        return __real_realloc(memory, size);
    size_t there = (size_t)((char *)head->block + head->block->size - (char *)memory);
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
    struct head *head = memory == NULL ? NULL : head_of(memory);
    if (head == NULL) {
        __real_free(memory);
        return;
    }
    struct block *block = head->block;
    head->mark = 0;
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
