/* The plan made when the shim was built is the plan the analysis makes now. */
#define _GNU_SOURCE
#include "test_filter.h"

#include "../../../shim/native/patch_known.h"

long overlay_filter(struct overlay_call *call)
{
    (void)call;
    return PASS_ON;
}

static struct patch_plan s_known, s_analysed;
static struct function_scratch s_scratch;

static const struct overlay_patch_site *find(const struct patch_plan *plan, const struct overlay_patch_site *site)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->sites[i].syscall == site->syscall && plan->sites[i].start == site->start)
            return &plan->sites[i];
    return NULL;
}

static void compare(const struct patch_module *module, const struct overlay_patch_options *options)
{
    struct overlay_patch_report known = { 0 }, analysed = { 0 };

    s_known.count = s_analysed.count = 0;
    CHECK(overlay_plan_module(module, options, &s_scratch, &s_analysed, &analysed));
    if (!overlay_plan_known(module, options, &s_known, &known)) {
        printf("%s is not known\n", module->path);
        return;
    }
    CHECK(s_known.count == s_analysed.count);
    CHECK(known.found == analysed.found && known.patched == analysed.patched);
    CHECK(known.skipped_not_wanted == analysed.skipped_not_wanted && known.unpatchable_wanted == 0);
    for (uint32_t i = 0; i < s_known.count; i++) {
        const struct overlay_patch_site *a = &s_known.sites[i], *b = find(&s_analysed, a);
        CHECK(b && a->number == b->number && a->moved == b->moved && a->fate == b->fate);
        CHECK(a->overwritten == b->overwritten && !a->springboard == !b->springboard);
    }
}

int main(void)
{
    struct patch_module modules[PATCH_MODULE_LIMIT];
    struct overlay_patch_options options = { 0 };
    int count = overlay_modules_find(1, modules);

    CHECK(count >= 2);
    want_all(&options);
    for (int i = 0; i < count; i++)
        compare(&modules[i], &options);
    options = (struct overlay_patch_options){ .numbers = { 1ul << SYS_write } };
    for (int i = 0; i < count; i++)
        compare(&modules[i], &options);
    printf("plans agree\n");
    return 0;
}
