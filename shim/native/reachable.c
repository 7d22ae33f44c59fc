#include "reachable.h"

#include <errno.h>
#include <linux/futex.h>

#include "syscalls.h"
#include "text.h"

#define PAGE 4096UL
#define REMEMBERED 64

/* Each a page's number and the generation in which it was good. Threads may overwrite each other's: that only costs a question. */
static uint64_t s_readable[REMEMBERED], s_writable[REMEMBERED];
uint32_t overlay_memory_generation;

void reachable_forget(void)
{
    __atomic_add_fetch(&overlay_memory_generation, 1, __ATOMIC_RELAXED);
}

/* Wakes nobody who waits for our own word, after it has added 0 to the other one. */
static long add_nothing(uintptr_t word)
{
    static uint32_t own;
    return overlay_raw_syscall6(SYS_futex, (long)&own, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, (long)word,
                                FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, (int)0x800));
}

/* With a `how` that does not exist the kernel reads the mask and then refuses. */
static bool try_page(uintptr_t at, bool is_writing)
{
    long result = is_writing ? add_nothing(at & ~3UL) : overlay_raw_syscall6(SYS_rt_sigprocmask, -1, (long)(at & ~7UL), 0, 8, 0, 0);
    return result != -EFAULT;
}

static uint64_t known_as(uintptr_t page)
{
    return page << 24 | (__atomic_load_n(&overlay_memory_generation, __ATOMIC_RELAXED) & 0xffffff);
}

static __attribute__((noinline)) bool find_out(uintptr_t at, uint64_t *slot, bool is_writing)
{
    uint64_t known = known_as(at / PAGE);
    if (!try_page(at, is_writing))
        return false;
    __atomic_store_n(slot, known, __ATOMIC_RELAXED);
    return true;
}

/* A bad pointer first of all: a slot that nobody has written looks like page 0 in generation 0. */
static inline bool is_reachable(uintptr_t at, bool is_writing)
{
    uint64_t *slot = (is_writing ? s_writable : s_readable) + at / PAGE % REMEMBERED;
    if (is_bad_pointer((long)at))
        return false;
    return __atomic_load_n(slot, __ATOMIC_RELAXED) == known_as(at / PAGE) || find_out(at, slot, is_writing);
}

static bool is_range_reachable(uintptr_t at, size_t size, bool is_writing)
{
    uintptr_t last = at + size - 1;
    if (size == 0)
        return true;
    if (last < at)
        return false;
    while (is_reachable(at, is_writing)) {
        if (at / PAGE == last / PAGE)
            return true;
        at = (at / PAGE + 1) * PAGE;
    }
    return false;
}

bool can_read(const void *memory, size_t size)
{
    return is_range_reachable((uintptr_t)memory, size, false);
}

bool can_write(void *memory, size_t size)
{
    return is_range_reachable((uintptr_t)memory, size, true);
}

/* Buffers are many and of many pages: those of a database, 64 MiB of them. */
#define FILLABLE_REMEMBERED 16384
static LARGE uint64_t s_fillable[FILLABLE_REMEMBERED];

bool can_fill(const void *memory, size_t size)
{
    uintptr_t at = (uintptr_t)memory, last = at + size - 1;
    if (size == 0 || last < at || is_bad_pointer((long)at) || is_bad_pointer((long)last))
        return size == 0;
    uint64_t generation = __atomic_load_n(&overlay_memory_generation, __ATOMIC_RELAXED) & 0xffffff;
    for (uintptr_t page = at / PAGE; page <= last / PAGE; page++) {
        uint64_t *slot = s_fillable + page % FILLABLE_REMEMBERED, known = page << 24 | generation;
        if (__atomic_load_n(slot, __ATOMIC_RELAXED) == known)
            continue;
        if (add_nothing(page * PAGE) == -EFAULT)
            return false;
        __atomic_store_n(slot, known, __ATOMIC_RELAXED);
    }
    return true;
}

static long shorter(size_t length, size_t limit)
{
    return (long)(length < limit ? length : limit);
}

/* The length of a text as far as `limit`; -1: it cannot be read as far as that. */
static long readable_length(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit) {
        uintptr_t at = (uintptr_t)text + length, end = (at / PAGE + 1) * PAGE;
        if (!is_reachable(at, false))
            return -1;
        for (; at % 8 != 0; at++, length++)
            if (*(const char *)at == 0)
                return shorter(length, limit);
        for (; at < end; at += 8, length += 8) {
            uint64_t zeros = text_zeros(*(const text_word *)at);
            if (zeros != 0)
                return shorter(length + (size_t)__builtin_ctzll(zeros) / 8, limit);
        }
    }
    return (long)limit;
}

bool can_read_path(const char *path)
{
    long length = readable_length(path, PATH_SIZE);
    return length >= 0 && length < PATH_SIZE;
}

enum path_look path_look(const char *path)
{
    return look_at_path(path, PATH_SIZE, is_reachable);
}

bool can_read_start(const char *text)
{
    return readable_length(text, PATH_SIZE) >= 0;
}
