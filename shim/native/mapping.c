/*
 * mmap, munmap, mremap, mprotect, msync. Allocators make most of these calls, some of them with their locks held, which the engine
 * may need: so exactly those go to the engine that touch a sealed file's shared mapping.
 */
#include "mapping.h"

#include <errno.h>
#include <sys/mman.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "helper.h"
#include "lazy.h"
#include "library_pin.h"
#include "raw_program.h"
#include "reachable.h"
#include "syscalls.h"

/* More than these are told apart by their outer bounds only. */
#define RANGE_LIMIT 4096

static struct {
    int64_t start, end;
} s_ranges[RANGE_LIMIT] LARGE;
static int s_count;
static uint32_t s_version; /* odd while the engine changes the table */

void mappings_note(const int64_t *pairs, int count)
{
    __atomic_add_fetch(&s_version, 1, __ATOMIC_ACQ_REL);
    if (count > RANGE_LIMIT) {
        s_ranges[0].start = pairs[0];
        s_ranges[0].end = pairs[2 * count - 1];
        s_count = 1;
    } else {
        for (int i = 0; i < count; i++) {
            s_ranges[i].start = pairs[2 * i];
            s_ranges[i].end = pairs[2 * i + 1];
        }
        s_count = count;
    }
    __atomic_add_fetch(&s_version, 1, __ATOMIC_ACQ_REL);
}

static bool overlaps(int64_t start, int64_t end)
{
    int low = 0, high = s_count;
    while (low < high) { /* the first that ends behind start */
        int middle = (low + high) / 2;
        if (s_ranges[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s_count && s_ranges[low].start < end;
}

static bool concerns_us(long address, long length)
{
    for (;;) {
        uint32_t version = __atomic_load_n(&s_version, __ATOMIC_ACQUIRE);
        if (version == 0)
            return false;
        bool result = overlaps(address, (int64_t)((uint64_t)address + (uint64_t)length));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (version % 2 == 0 && version == __atomic_load_n(&s_version, __ATOMIC_RELAXED))
            return result;
        __builtin_ia32_pause();
    }
}

int on_mmap(struct overlay_call *call)
{
    bool is_fixed = (call->args[3] & MAP_FIXED) != 0;
    if (is_fixed)
        reachable_forget();
    if ((call->args[3] & MAP_ANONYMOUS) == 0) {
        long state = fd_classify((int)call->args[4]);
        bool is_code = (call->args[2] & PROT_EXEC) != 0 && (state == FD_SEALED || state == FD_FOREIGN);
        if (is_code && !raw_library_is_allowed((int)call->args[4], state == FD_SEALED))
            return answer(call, -EACCES);
        if (state == FD_SEALED) {
            long result = ENGINE_CALL(mmap, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4], call->args[5]);
            if (!overlay_is_error(result) && is_code)
                library_pin((int)call->args[4]);
            return answer(call, result);
        }
        if (state < 0 || state == FD_RESERVED)
            return answer(call, state < 0 ? state : -EBADF);
    }
    if (!is_fixed || !concerns_us(call->args[0], call->args[1]))
        return PASS;
    long result = ENGINE_CALL(map_over_lazy, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4], call->args[5]);
    if (result != 0)
        return answer(call, result);
    ENGINE_CALL(map_over, call->args[0], call->args[1]);
    return PASS;
}

int on_munmap(struct overlay_call *call)
{
    reachable_forget();
    if (!concerns_us(call->args[0], call->args[1]))
        return PASS;
    return answer(call, ENGINE_CALL(munmap, call->args[0], call->args[1]));
}

int on_mremap(struct overlay_call *call)
{
    reachable_forget();
    bool is_moving = (call->args[3] & MREMAP_FIXED) != 0;
    /* An old length of 0 makes a second mapping of what lies there. */
    if (!concerns_us(call->args[0], call->args[1] == 0 ? 1 : call->args[1]) &&
        !(is_moving && concerns_us(call->args[4], call->args[2])))
        return PASS;
    return answer(call, ENGINE_CALL(mremap, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4]));
}

int on_mprotect(struct overlay_call *call)
{
    reachable_forget();
    if (call->number == SYS_pkey_mprotect && call->args[3] > 0 && !is_borrowed_memory())
        helper_forbid(); /* which keys open is a thread's own matter */
    if (!concerns_us(call->args[0], call->args[1]))
        return PASS;
    if ((call->args[2] & PROT_WRITE) != 0)
        ENGINE_CALL(allow_writing, call->args[0], call->args[1]);
    bool has_key = call->number == SYS_pkey_mprotect && call->args[3] != -1;
    if (has_key) /* the kernel keeps keys; so all of it must be there */
        lazy_make_present((uintptr_t)call->args[0], (uint64_t)call->args[1]);
    long result = ENGINE_CALL(protect_lazily, call->args[0], call->args[1], call->args[2]);
    return result == 0 || (result == 1 && has_key) ? PASS : answer(call, result == 1 ? 0 : result);
}

/* The old call that rearranges a shared mapping by pages of the file, which lie one page further back in ours. */
int on_remap_file_pages(struct overlay_call *call)
{
    return concerns_us(call->args[0], call->args[1]) ? answer(call, -EINVAL) : PASS;
}

int on_msync(struct overlay_call *call)
{
    if (!concerns_us(call->args[0], call->args[1]))
        return PASS;
    return answer(call, ENGINE_CALL(msync, call->args[0], call->args[1], call->args[2]));
}
