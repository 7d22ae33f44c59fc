/* Looks at every `syscall` instruction of a module and decides what to do with it. Changes nothing. */
#ifndef OVERLAY_PATCH_PLAN_H
#define OVERLAY_PATCH_PLAN_H

#include "patch_site.h"

/* Appends to `plan`, adds to the counts in `report`. Answers 0 if a wanted call cannot be intercepted. */
int overlay_plan_module(const struct patch_module *module, const struct overlay_patch_options *options,
                        struct function_scratch *scratch, struct patch_plan *plan, struct overlay_patch_report *report);

#endif
