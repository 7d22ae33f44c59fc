#include "patch_slot.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "raw_syscall.h"
#include "trampoline.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096UL
#define SLOT_LIMIT 96UL      /* at most 19 moved bytes grown by at most 8, the fixed 40, and alignment */
#define REACH 0x7ff00000UL   /* a little less than a rel32 can do */

struct slot_constants {
    void (*enter)(void), (*enter_cancellable)(void);
};

static int within_reach(uintptr_t from, uintptr_t size, uintptr_t low, uintptr_t high)
{
    uintptr_t first = from < low ? from : low, last = from + size > high ? from + size : high;
    return last - first < REACH;
}

static long map_at(uintptr_t hint, size_t size, int flags)
{
    return overlay_raw_syscall6(SYS_mmap, (long)hint, (long)size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);
}

long overlay_slots_allocate(uintptr_t low, uintptr_t high, uint32_t count, struct slot_region *out)
{
    size_t code = (sizeof(struct slot_constants) + count * SLOT_LIMIT + PAGE - 1) & ~(PAGE - 1);
    size_t size = code + PAGE;

    /* The kernel fills the address space downwards, so libraries lie together and any place will mostly do. */
    long at = map_at(0, size, 0);
    if (overlay_is_error(at))
        return at;
    if (!within_reach((uintptr_t)at, size, low, high)) {
        overlay_raw_syscall3(SYS_munmap, at, (long)size, 0);
        at = 0;
        for (uintptr_t step = 1; step < 2000 && !at; step++) {
            uintptr_t hint = (low - step * 0x100000) & ~(PAGE - 1);
            long here = map_at(hint, size, MAP_FIXED_NOREPLACE);
            if (overlay_is_error(here))
                continue;
            if (within_reach((uintptr_t)here, size, low, high))
                at = here;
            else    /* a kernel before 4.17 takes the flag for a hint */
                overlay_raw_syscall3(SYS_munmap, here, (long)size, 0);
        }
        if (!at)
            return -12;    /* ENOMEM */
    }
    out->start = (uint8_t *)at;
    out->size = size;
    out->interest = out->start + code;
    out->limit = out->interest;
    out->next = out->start + sizeof(struct slot_constants);
    struct slot_constants constants = { overlay_trampoline_enter, overlay_trampoline_enter_cancellable };
    memcpy(out->start, &constants, sizeof constants);
    return 0;
}

void overlay_slots_free(struct slot_region *region)
{
    overlay_raw_syscall3(SYS_munmap, (long)region->start, (long)region->size, 0);
}

long overlay_slots_seal(struct slot_region *region)
{
    return overlay_raw_syscall3(SYS_mprotect, (long)region->start, region->interest - region->start,
                                PROT_READ | PROT_EXEC);
}

struct writer {
    uint8_t *at;
    int ok;
};

static void put(struct writer *w, const void *bytes, size_t count)
{
    memcpy(w->at, bytes, count);
    w->at += count;
}
#define PUT(w, ...) put(w, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* A 4-byte displacement to `target`, which counts from the end of these 4 bytes. */
static void put_relative(struct writer *w, uintptr_t target)
{
    intptr_t distance = (intptr_t)(target - ((uintptr_t)w->at + 4));
    int32_t relative = (int32_t)distance;
    w->ok &= relative == distance;
    put(w, &relative, 4);
}

/* Copies one instruction, which is at `at` and can be read at `code`; what it holds relative to its own address is adjusted. */
static void put_moved(struct writer *w, uintptr_t at, const uint8_t *code, const struct instruction *i)
{
    if (i->flow == FLOW_BRANCH) {    /* jcc, short or long, becomes long */
        uint8_t condition = i->opcode & 15;
        PUT(w, 0x0f, 0x80 | condition);
        put_relative(w, i->target + (at - (uintptr_t)code));
    } else if (i->rip_displacement) {
        uint8_t tail = (uint8_t)(i->length - i->rip_displacement - 4);
        int32_t displacement;
        memcpy(&displacement, code + i->rip_displacement, 4);
        put(w, code, i->rip_displacement);
        put_relative(w, at + (uintptr_t)(intptr_t)displacement + i->length - tail);
        put(w, code + i->length - tail, tail);
    } else {
        put(w, code, i->length);
    }
}

static const uint8_t *code_of(const struct overlay_patch_site *site)
{
    return site->code ? site->code : (const uint8_t *)site->start;
}

static void put_site(struct writer *w, const struct slot_region *region, const struct overlay_patch_site *site)
{
    const uint8_t *code = code_of(site), *end = code + site->moved;
    for (uintptr_t at = site->start; at < site->syscall;) {
        struct instruction i;
        if (!overlay_decode(code, end, &i)) {
            w->ok = 0;
            return;
        }
        put_moved(w, at, code, &i);
        at += i.length;
        code += i.length;
    }
    if (site->number >= 0) {
        PUT(w, 0x0f, 0xb6, 0x0d);                                 /* movzbl interest+number(%rip),%ecx */
        put_relative(w, (uintptr_t)region->interest + (uintptr_t)site->number);
        PUT(w, 0xe3, 26);                                         /* jrcxz pass: flags stay as they are */
    }
    PUT(w, 0x48, 0x8d, 0x64, 0x24, 0x80);                         /* lea -128(%rsp),%rsp: below the red zone */
    PUT(w, 0xff, 0x15);                                           /* call *enter(%rip) */
    put_relative(w, (uintptr_t)region->start + offsetof(struct slot_constants, enter));
    PUT(w, 0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0);                /* lea 128(%rsp),%rsp */
    PUT(w, 0xe3, 5);                                              /* jrcxz pass */
    PUT(w, 0xe9);                                                 /* jmp past the syscall */
    put_relative(w, site->syscall + 2);
    PUT(w, 0xe9);                                                 /* pass: jmp to the syscall */
    put_relative(w, site->syscall);
}

/* Entered like the function that is called here; all of its registers are free but its arguments. */
static void put_callers(struct writer *w, const struct slot_region *region, const struct overlay_patch_site *site,
                        uintptr_t function)
{
    PUT(w, 0x4c, 0x8d, 0x1d);                                     /* lea syscall(%rip),%r11 */
    put_relative(w, site->syscall);
    PUT(w, 0xff, 0x15);                                           /* call *enter_cancellable(%rip) */
    put_relative(w, (uintptr_t)region->start + offsetof(struct slot_constants, enter_cancellable));
    PUT(w, 0x45, 0x85, 0xdb, 0x74, 0x01, 0xc3);                   /* test %r11d,%r11d; jz pass; ret */
    PUT(w, 0xe9);                                                 /* pass: jmp to the function */
    put_relative(w, function);
}

int overlay_slot_write(struct slot_region *region, struct overlay_patch_site *site)
{
    struct writer w = { region->next, 1 };

    if (region->next + SLOT_LIMIT > region->limit)
        return 0;
    site->slot = (uintptr_t)region->next;
    if (site->fate == OVERLAY_SITE_CALLERS) {
        int32_t relative;
        memcpy(&relative, code_of(site) + 1, 4);
        put_callers(&w, region, site, site->start + 5 + (uintptr_t)(intptr_t)relative);
    } else {
        put_site(&w, region, site);
    }
    region->next = (uint8_t *)(((uintptr_t)w.at + 15) & ~15UL);
    return w.ok;
}
