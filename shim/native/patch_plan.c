#include "patch_plan.h"

#include <string.h>

#include "patch_number.h"
#include "patch_scan.h"

struct planner {
    const struct patch_module *module;
    const struct overlay_patch_options *options;
    struct patch_plan *plan;
    struct overlay_patch_report *report;
    struct function_scratch *scratch;
    struct function_map map;
    int64_t mapped;          /* the function in `map`, -1 = none */
};

/* Makes planner->map show the function around `address`; answers 0 if there is no such function or it is not
 * decodable, and then nothing at that address is ever changed. */
static int map_function(struct planner *p, uintptr_t address)
{
    int64_t index = overlay_function_before(p->module, address);
    if (index < 0)
        return 0;
    if (index != p->mapped) {
        p->mapped = -1;
        if (!overlay_function_map(p->module, (uint32_t)index, p->scratch, &p->map))
            return 0;
        p->mapped = index;
    }
    return address < p->map.range.end;
}

static int keep(struct planner *p, const struct overlay_patch_site *site)
{
    if (p->plan->count == PATCH_SITE_LIMIT)
        return 0;
    p->plan->sites[p->plan->count++] = *site;
    return 1;
}

/* The calls to the function at site->start, one plan entry each. Answers 0 if there is none. */
static int plan_callers(struct planner *p, const struct overlay_patch_site *site)
{
    uintptr_t target = site->start, at = p->module->text;
    int found = 0;

    for (; (at = overlay_scan_call(at, p->module->text_end, target)) < p->module->text_end; at++) {
        if (!map_function(p, at) || !overlay_is_marked(&p->map, at, MARK_START))
            continue;
        struct overlay_patch_site caller = *site;
        caller.springboard = 0;
        caller.start = at;
        caller.overwritten = PATCH_JUMP_SIZE;
        if (!keep(p, &caller))
            return 0;
        found = 1;
    }
    return found;
}

/* Four calls in five are `mov $number,%eax; syscall` with a number that nobody asked for. Nothing is going to be changed
 * there, so the function around them need not be decoded. */
static int is_plainly_not_wanted(const struct planner *p, uintptr_t syscall, int32_t *number)
{
    const uint8_t *code = (const uint8_t *)syscall;
    if (syscall < p->module->text + 6 || code[-5] != 0xb8 || (code[-6] & 0xf0) == 0x40)    /* REX: another register */
        return 0;
    memcpy(number, code - 4, 4);
    return *number >= 0 && *number < OVERLAY_NUMBER_LIMIT && !overlay_number_wanted(p->options, *number);
}

static void plan_site(struct planner *p, struct overlay_patch_site *site)
{
    if (is_plainly_not_wanted(p, site->syscall, &site->number)) {
        site->fate = OVERLAY_SITE_NOT_WANTED;
        return;
    }
    int in_function = map_function(p, site->syscall);

    site->number = NUMBER_UNKNOWN;
    if (in_function && !overlay_is_marked(&p->map, site->syscall, MARK_START)) {
        site->fate = OVERLAY_SITE_NOT_CODE;
        return;
    }
    if (!in_function) {
        site->fate = OVERLAY_SITE_UNPATCHABLE;
        return;
    }
    site->number = overlay_call_number(&p->map, site->syscall);
    if (site->number != NUMBER_UNKNOWN && !overlay_number_wanted(p->options, site->number)) {
        site->fate = OVERLAY_SITE_NOT_WANTED;
        return;
    }
    overlay_site_decide(p->module, (uint32_t)p->mapped, &p->map, p->plan, site);
    int planned = site->fate == OVERLAY_SITE_CALLERS ? plan_callers(p, site)
                  : site->fate != OVERLAY_SITE_UNPATCHABLE && keep(p, site);
    if (planned)
        return;
    int presumed = overlay_call_number_presumed(&p->map, site->syscall);
    site->fate = site->number == NUMBER_UNKNOWN && presumed != NUMBER_UNKNOWN &&
                 !overlay_number_wanted(p->options, presumed) ? OVERLAY_SITE_NOT_WANTED : OVERLAY_SITE_UNPATCHABLE;
}

static void count(struct planner *p, const struct overlay_patch_site *site)
{
    struct overlay_patch_report *report = p->report;

    report->found += site->fate != OVERLAY_SITE_NOT_CODE;
    if (site->fate == OVERLAY_SITE_NOT_WANTED) {
        report->skipped_not_wanted++;
    } else if (site->fate == OVERLAY_SITE_UNPATCHABLE) {
        report->unpatchable_wanted++;
        if (!report->first_unpatchable)
            report->first_unpatchable = site->syscall - p->module->base;
    } else if (site->fate != OVERLAY_SITE_NOT_CODE) {
        report->patched++;
    }
    if (p->options->observe)
        p->options->observe(site, p->options->observe_context);
}

int overlay_plan_module(const struct patch_module *module, const struct overlay_patch_options *options,
                        struct function_scratch *scratch, struct patch_plan *plan, struct overlay_patch_report *report)
{
    struct planner p = {
        .module = module, .options = options, .plan = plan, .report = report, .scratch = scratch, .mapped = -1,
    };
    uint32_t unpatchable = report->unpatchable_wanted;
    uintptr_t at = module->text;

    for (; (at = overlay_scan_syscall(at, module->text_end)) < module->text_end; at += 2) {
        struct overlay_patch_site site = { .syscall = at };
        plan_site(&p, &site);
        count(&p, &site);
    }
    return report->unpatchable_wanted == unpatchable;
}
