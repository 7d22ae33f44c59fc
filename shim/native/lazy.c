/* Where such mappings lie, and what of them is filled. Read by handlers of signals, too. */
#include "lazy.h"

#include "borrowed.h"
#include "engine_call.h"
#include "syscalls.h"

/* More are known by their outer bounds (LazyPublisher.cs). */
#define RANGE_LIMIT 1024

#define PAGE 4096L

int overlay_lazy_count;
bool overlay_lazy_is_possible;

static LARGE struct overlay_lazy_range s_ranges[RANGE_LIMIT];
static uint32_t s_version; /* odd while the engine changes the table */

void lazy_note(const struct overlay_lazy_range *ranges, int count)
{
    __atomic_add_fetch(&s_version, 1, __ATOMIC_ACQ_REL);
    for (int i = 0; i < count && i < RANGE_LIMIT; i++)
        s_ranges[i] = ranges[i];
    __atomic_store_n(&overlay_lazy_count, count, __ATOMIC_RELAXED);
    __atomic_add_fetch(&s_version, 1, __ATOMIC_ACQ_REL);
}

/* The first range that ends behind `start`. */
static int find(int64_t start)
{
    int low = 0, high = __atomic_load_n(&overlay_lazy_count, __ATOMIC_RELAXED);
    while (low < high) {
        int middle = (low + high) / 2;
        if (s_ranges[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first byte that is not filled from `at` on, in this range; its end if all is. */
static int64_t first_unfilled(const struct overlay_lazy_range *range, int64_t at, int64_t end)
{
    end = end < range->end ? end : range->end;
    while (at < end && range->filled != NULL) {
        int64_t offset = range->offset + (at - range->start), unit = offset >> range->unit_log2;
        if (__atomic_load_n(&range->filled[unit], __ATOMIC_RELAXED) == 0)
            break;
        at += ((unit + 1) << range->unit_log2) - offset;
    }
    return at;
}

static int64_t look(int64_t start, int64_t end)
{
    int count = __atomic_load_n(&overlay_lazy_count, __ATOMIC_RELAXED);
    for (int i = find(start); i < count && s_ranges[i].start < end; i++) {
        const struct overlay_lazy_range range = s_ranges[i];
        int64_t from = start > range.start ? start : range.start, at = first_unfilled(&range, from, end);
        if (at < end && at < range.end)
            return at;
    }
    return -1;
}

/* Until the table stood still meanwhile. */
static int64_t look_steadily(int64_t start, int64_t end, int64_t (*how)(int64_t, int64_t))
{
    for (;;) {
        uint32_t version = __atomic_load_n(&s_version, __ATOMIC_ACQUIRE);
        int64_t found = version % 2 == 0 ? how(start, end) : -1;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (version % 2 == 0 && version == __atomic_load_n(&s_version, __ATOMIC_RELAXED))
            return found;
        __builtin_ia32_pause();
    }
}

static int64_t look_for_range(int64_t start, int64_t end)
{
    int i = find(start);
    return i < __atomic_load_n(&overlay_lazy_count, __ATOMIC_RELAXED) && s_ranges[i].start < end ? i : -1;
}

bool lazy_has(uintptr_t address)
{
    return overlay_lazy_count != 0 && look_steadily((int64_t)address, (int64_t)address + 1, look_for_range) >= 0;
}

long lazy_fill(uintptr_t start, uint64_t size, int access)
{
    long result = ENGINE_CALL(fault, (long)start, (long)size, access);
    if (result >= 0 && __atomic_load_n(&overlay_may_be_borrowed, __ATOMIC_RELAXED) != 0 && is_borrowed_memory()) {
        /* It is in the memory file now, but was made reachable in the copy that did the work. */
        long low = (long)start & -PAGE, high = ((long)start + (long)size + PAGE - 1) & -PAGE;
        overlay_raw_syscall3(SYS_mprotect, low, high - low, result);
    }
    return result;
}

void lazy_make_present(uintptr_t start, uint64_t size)
{
    if (overlay_lazy_count == 0 || size == 0 || is_bad_pointer((long)start))
        return;
    const uint64_t most = 0x7ffff000; /* what one call moves */
    int64_t end = (int64_t)start + (int64_t)(size < most ? size : most);
    int64_t at = look_steadily((int64_t)start, end, look);
    if (at >= 0)
        lazy_fill((uintptr_t)at, (uint64_t)(end - at), 0);
}

void lazy_fill_all(void)
{
    for (int i = 0; i < __atomic_load_n(&overlay_lazy_count, __ATOMIC_RELAXED) && i < RANGE_LIMIT; i++) {
        const struct overlay_lazy_range range = s_ranges[i];
        lazy_fill((uintptr_t)range.start, (uint64_t)(range.end - range.start), 0);
    }
}
