#include "patch_known.h"

#include <string.h>

#include "patch_known_sites.h"    /* made by known_sites.c: static known_modules[] */

static const struct known_module *find(const struct patch_module *module)
{
    for (size_t i = 0; i < sizeof known_modules / sizeof known_modules[0]; i++) {
        const struct known_module *known = &known_modules[i];
        uint32_t same = 0;
        if (!module->build_id || known->build_id_size != module->build_id_size)
            continue;
        while (same < known->build_id_size && known->build_id[same] == module->build_id[same])
            same++;
        if (same == known->build_id_size)
            return known;
    }
    return 0;
}

static int is_wanted(const struct known_site *site, const struct overlay_patch_options *options)
{
    int number = site->number >= 0 ? site->number : site->fate == OVERLAY_SITE_UNPATCHABLE ? site->presumed : -1;
    return number < 0 || overlay_number_wanted(options, number);
}

int overlay_plan_known(const struct patch_module *module, const struct overlay_patch_options *options,
                       struct patch_plan *plan, struct overlay_patch_report *report)
{
    const struct known_module *known = options->observe ? 0 : find(module);
    uint32_t count_before = plan->count, wanted = 0;
    const uint8_t *code;

    if (!known)
        return 0;
    code = known->code;
    for (uint32_t i = 0; i < known->site_count; i++) {
        const struct known_site *from = &known->sites[i];
        const uint8_t *own_code = code;
        code += overlay_known_code_size(from->fate, from->moved, from->overwritten);
        int is_caller = from->fate == OVERLAY_SITE_CALLERS && from->overwritten;
        if (!is_wanted(from, options))
            continue;
        wanted += !is_caller;
        if (from->fate == OVERLAY_SITE_CALLERS && !is_caller)
            continue;
        struct overlay_patch_site site = {
            .syscall = module->base + from->syscall, .start = module->base + from->start, .number = from->number,
            .moved = from->moved, .overwritten = from->overwritten, .fate = from->fate, .code = own_code,
        };
        if (from->fate == OVERLAY_SITE_SPRINGBOARD)
            site.springboard = site.start + PATCH_SHORT_JUMP_SIZE + (uintptr_t)(intptr_t)from->springboard;
        if (from->fate == OVERLAY_SITE_UNPATCHABLE || plan->count == PATCH_SITE_LIMIT) {
            plan->count = count_before;
            return 0;
        }
        plan->sites[plan->count++] = site;
    }
    report->known_modules++;
    report->found += known->found;
    report->patched += wanted;
    report->skipped_not_wanted += known->found - wanted;
    return 1;
}
