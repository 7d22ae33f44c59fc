/* Decides how one `syscall` instruction is intercepted. Reads text, changes nothing. */
#ifndef OVERLAY_PATCH_SITE_H
#define OVERLAY_PATCH_SITE_H

#include "patch.h"
#include "patch_function.h"

#define PATCH_JUMP_SIZE 5
#define PATCH_SHORT_JUMP_SIZE 2
#define PATCH_SITE_LIMIT 1024    /* glibc 2.31 has about 900 in all three modules, a third of them wanted */

struct patch_plan {
    struct overlay_patch_site sites[PATCH_SITE_LIMIT];    /* those to be patched */
    uint32_t count;
    uint32_t has_stubs;                                   /* add what overlay_text_stubs says to libc's text */
};

static inline int overlay_number_wanted(const struct overlay_patch_options *options, int number)
{
    return number < OVERLAY_NUMBER_LIMIT && (options->numbers[number / 64] >> (number % 64) & 1);
}

/* `site->syscall` and `site->number` are set; fills in the rest. `function` is the number of the function that `map`
 * shows. `plan` tells which padding is taken. */
void overlay_site_decide(const struct patch_module *module, uint32_t function, const struct function_map *map,
                         const struct patch_plan *plan, struct overlay_patch_site *site);

/* Can the slot run this instruction instead of libc's text? */
int overlay_is_movable(const struct instruction *i);

#endif
