#include <sys/mman.h>

#include "../patch_known.h"
#include "../patch_plan.h"
#include "../patch_slot.h"
#include "../patch_text.h"
#include "../syscalls.h"
#include "start.h"

volatile uint8_t *overlay_interest;

struct workspace {
    struct patch_module module;
    struct patch_plan plan;
    struct slot_region region;
    struct function_scratch scratch;
};

static const uint16_t s_wanted[] = {SYS_open, SYS_openat, SYS_fstat, SYS_newfstatat, SYS_readlink, SYS_readlinkat};

static bool write_slots(struct workspace *work)
{
    if (overlay_is_error(overlay_slots_allocate(work->module.text, work->module.text_end, work->plan.count, &work->region)))
        return false;
    for (uint32_t i = 0; i < work->plan.count; i++)
        if (!overlay_slot_write(&work->region, &work->plan.sites[i]))
            return false;
    for (size_t i = 0; i < sizeof s_wanted / sizeof s_wanted[0]; i++)
        work->region.interest[s_wanted[i]] = 1;
    overlay_interest = work->region.interest;
    return !overlay_is_error(overlay_slots_seal(&work->region));
}

void start_patch_loader(const struct mapped_loader *loader)
{
    struct overlay_patch_options options = {0};
    struct overlay_patch_report report = {0};
    for (size_t i = 0; i < sizeof s_wanted / sizeof s_wanted[0]; i++)
        options.numbers[s_wanted[i] / 64] |= 1UL << (s_wanted[i] % 64);
    long at = overlay_raw_syscall6(SYS_mmap, 0, sizeof(struct workspace), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(at))
        return;
    struct workspace *work = (struct workspace *)at;
    work->module.path = overlay_start.loader;
    bool is_planned = !overlay_text_is_fixed() &&
                      overlay_module_describe(loader->base, loader->headers, loader->header_count, &work->module) &&
                      (overlay_plan_known(&work->module, &options, &work->plan, &report) ||
                       overlay_plan_module(&work->module, &options, &work->scratch, &work->plan, &report));
    if (is_planned && write_slots(work))
        overlay_text_patch(&work->module, &work->plan);
    overlay_raw_syscall3(SYS_munmap, at, sizeof(struct workspace), 0);
}

/* What the patcher asks of libc elsewhere. */
int dl_iterate_phdr(int (*callback)(void *, size_t, void *), void *data) HIDDEN;
int dl_iterate_phdr(int (*callback)(void *, size_t, void *), void *data)
{
    (void)callback;
    (void)data;
    return 0;
}

void *memcpy(void *restrict target, const void *restrict source, size_t size) HIDDEN;
void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)target)[i] = ((const char *)source)[i];
    return target;
}

void *memset(void *target, int byte, size_t size) HIDDEN;
void *memset(void *target, int byte, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)target)[i] = (char)byte;
    return target;
}

int memcmp(const void *a, const void *b, size_t size) HIDDEN;
int memcmp(const void *a, const void *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            return ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    return 0;
}
