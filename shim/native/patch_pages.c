/*
 * A fault for each page costs more than its copy. Least of all costs a page whose first touch is a write: what is read first is mapped together
 * with its neighbours, and then taken out of the page table again.
 */
#include "patch_pages.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "raw_syscall.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096UL
#define PAGE_LIMIT 4096UL /* what lies behind is copied by faults */

static void mark(uint64_t marks[PAGE_LIMIT / 64], uintptr_t first_page, uintptr_t start, uintptr_t size)
{
    for (uintptr_t page = (start - first_page) / PAGE; page <= (start + size - 1 - first_page) / PAGE && page < PAGE_LIMIT; page++)
        marks[page / 64] |= 1UL << (page % 64);
}

static int is_marked(const uint64_t marks[PAGE_LIMIT / 64], uintptr_t page)
{
    return page < PAGE_LIMIT && (marks[page / 64] >> (page % 64) & 1) != 0;
}

/* Before Linux 5.14 by faults, which must be those of writes. */
static void take(uintptr_t start, uintptr_t end)
{
    if (overlay_raw_syscall3(SYS_madvise, (long)start, (long)(end - start), MADV_POPULATE_WRITE) == 0)
        return;
    for (; start < end; start += PAGE)
        __asm__ volatile("lock orb $0, %0" : "+m"(*(volatile uint8_t *)start) : : "cc");
}

void overlay_pages_take(const struct patch_module *module, const struct patch_plan *plan)
{
    uint64_t marks[PAGE_LIMIT / 64];
    uintptr_t first_page = module->text & ~(PAGE - 1);

    for (unsigned i = 0; i < PAGE_LIMIT / 64; i++)
        marks[i] = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct overlay_patch_site *site = &plan->sites[i];
        if (site->start < module->text || site->start >= module->text_end)
            continue;
        mark(marks, first_page, site->start, site->overwritten);
        if (site->springboard)
            mark(marks, first_page, site->springboard, PATCH_JUMP_SIZE);
    }
    for (uintptr_t page = 0; page < PAGE_LIMIT; page++) {
        uintptr_t first = page;
        while (is_marked(marks, page))
            page++;
        if (page > first)
            take(first_page + first * PAGE, first_page + page * PAGE);
    }
}
