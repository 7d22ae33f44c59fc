#include "patch.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "patch_known.h"
#include "patch_plan.h"
#include "patch_slot.h"
#include "patch_text.h"
#include "raw_syscall.h"

volatile uint8_t *overlay_interest;

/* Everything the patcher needs only while it runs: mapped, and given back, so that it costs the program nothing. */
struct workspace {
    struct patch_module modules[PATCH_MODULE_LIMIT];
    int module_count;
    struct patch_plan plan;
    struct slot_region region;
    struct function_scratch scratch;
};

static int fail(struct overlay_patch_report *report, int result, const char *module, long error)
{
    report->module = module;
    report->error = (int)-error;
    return result;
}

static int plan_all(struct workspace *work, const struct overlay_patch_options *options, int use_known,
                    struct overlay_patch_report *report)
{
    work->module_count = overlay_modules_find(options->include_loader, work->modules);
    int has_libc = 0;
    for (int i = 0; i < work->module_count; i++) {
        has_libc |= (int)work->modules[i].is_libc;
        if (work->modules[i].is_libc && options->add_stubs)
            report->stubs = overlay_text_stubs(&work->modules[i]);
    }
    if (!has_libc)
        return OVERLAY_PATCH_NO_LIBC;
    work->plan.has_stubs = report->stubs.raw_entry != 0;
    if (options->add_stubs && !work->plan.has_stubs)
        return OVERLAY_PATCH_NO_MEMORY;
    report->modules = (uint32_t)(work->module_count > 0 ? work->module_count : 0);
    for (int i = 0; i < work->module_count; i++) {
        if (options->restore_loader && work->modules[i].is_loader)
            overlay_text_restore(&work->modules[i]);
        struct overlay_patch_report before = *report;
        uint32_t planned = work->plan.count;
        if ((use_known && overlay_plan_known(&work->modules[i], options, &work->plan, report)) ||
            overlay_plan_module(&work->modules[i], options, &work->scratch, &work->plan, report))
            continue;
        if (!work->modules[i].is_loader)
            return fail(report, OVERLAY_PATCH_UNPATCHABLE, work->modules[i].path, 0);
        /* The loader only reads: unpatched it refuses a library in a volume as no library, and nothing else is lost. */
        *report = before;
        work->plan.count = planned;
    }
    return OVERLAY_PATCH_OK;
}

static int write_slots(struct workspace *work, const struct overlay_patch_options *options,
                       struct overlay_patch_report *report)
{
    uintptr_t low = work->modules[0].text, high = work->modules[0].text_end;
    for (int i = 1; i < work->module_count; i++) {
        low = work->modules[i].text < low ? work->modules[i].text : low;
        high = work->modules[i].text_end > high ? work->modules[i].text_end : high;
    }
    long error = overlay_slots_allocate(low, high, work->plan.count, &work->region);
    if (overlay_is_error(error))
        return fail(report, OVERLAY_PATCH_NO_MEMORY, 0, error);
    for (uint32_t i = 0; i < work->plan.count; i++)
        if (!overlay_slot_write(&work->region, &work->plan.sites[i]))
            return fail(report, OVERLAY_PATCH_NO_MEMORY, 0, 0);
    for (unsigned n = 0; n < OVERLAY_NUMBER_LIMIT; n++)
        work->region.interest[n] = (uint8_t)overlay_number_wanted(options, (int)n);
    error = overlay_slots_seal(&work->region);
    return overlay_is_error(error) ? fail(report, OVERLAY_PATCH_TEXT_FIXED, 0, error) : OVERLAY_PATCH_OK;
}

static int write_text(struct workspace *work, struct overlay_patch_report *report)
{
    /* Sites are live from the moment their module is executable again, and ask the filter by this table. */
    overlay_interest = work->region.interest;
    for (int i = 0; i < work->module_count; i++) {
        long error = overlay_text_patch(&work->modules[i], &work->plan);
        if (!overlay_is_error(error))
            continue;
        while (i-- > 0)
            overlay_text_restore(&work->modules[i]);
        overlay_interest = 0;
        return fail(report, error == -ESTALE ? OVERLAY_PATCH_NOT_AS_KNOWN : OVERLAY_PATCH_TEXT_FIXED, 0, error);
    }
    return OVERLAY_PATCH_OK;
}

static int install(struct workspace *work, const struct overlay_patch_options *options, int use_known,
                   struct overlay_patch_report *report)
{
    memset(report, 0, sizeof *report);
    int result = plan_all(work, options, use_known, report);
    if (result == OVERLAY_PATCH_OK)
        result = write_slots(work, options, report);
    if (result == OVERLAY_PATCH_OK)
        result = write_text(work, report);
    if (result != OVERLAY_PATCH_OK && work->region.start)
        overlay_slots_free(&work->region);
    return result;
}

static long map_workspace(void)
{
    return overlay_raw_syscall6(SYS_mmap, 0, sizeof(struct workspace), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                -1, 0);
}

int overlay_patch_install(const struct overlay_patch_options *options, struct overlay_patch_report *report)
{
    memset(report, 0, sizeof *report);
    if (overlay_text_is_fixed())
        return OVERLAY_PATCH_TEXT_FIXED;
    int result = OVERLAY_PATCH_NOT_AS_KNOWN;
    for (int use_known = 1; result == OVERLAY_PATCH_NOT_AS_KNOWN && use_known >= 0; use_known--) {
        long at = map_workspace();
        if (overlay_is_error(at))
            return fail(report, OVERLAY_PATCH_NO_MEMORY, 0, at);
        result = install((struct workspace *)at, options, use_known, report);
        overlay_raw_syscall3(SYS_munmap, at, sizeof(struct workspace), 0);
    }
    return result;
}

const char *overlay_patch_explain(int result)
{
    switch (result) {
    case OVERLAY_PATCH_OK: return "calls are intercepted";
    case OVERLAY_PATCH_NO_LIBC: return "the program does not use a known glibc";
    case OVERLAY_PATCH_UNPATCHABLE: return "a file call of this libc cannot be intercepted";
    case OVERLAY_PATCH_NO_MEMORY: return "no memory for trampolines near libc";
    case OVERLAY_PATCH_TEXT_FIXED:
        return "the system forbids changing program text (PR_SET_MDWE, SELinux execmod or seccomp)";
    default: return "unknown";
    }
}
