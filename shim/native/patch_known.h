/* Plans made when the shim was built, for the libraries of the machine it was built on. Finding and judging the sites
 * of a libc takes most of a millisecond, and every process would do it again; a library with the same build id has the
 * same sites. A library that is not known is analysed as always.
 *
 * The plan has the code that is moved, too: a page of text that is read before it is written to costs twice as much to make
 * our own, since the kernel maps it and its neighbours first. overlay_text_patch looks whether the text is as expected. */
#ifndef OVERLAY_PATCH_KNOWN_H
#define OVERLAY_PATCH_KNOWN_H

#include "patch_plan.h"

/* One `syscall` instruction, addresses from the module's base. The number is -1 where it is known only when it runs;
 * `presumed` is then what overlay_call_number_presumed says. */
struct known_site {
    uint32_t syscall, start;
    int16_t number, presumed;
    int8_t springboard;          /* the short jump's displacement, if fate is OVERLAY_SITE_SPRINGBOARD */
    uint8_t fate, moved, overwritten;
};

/* The bytes of its code that are kept. */
static inline uint8_t overlay_known_code_size(uint8_t fate, uint8_t moved, uint8_t overwritten)
{
    return fate == OVERLAY_SITE_JUMP || fate == OVERLAY_SITE_SPRINGBOARD ? moved : fate == OVERLAY_SITE_CALLERS ? overwritten : 0;
}

struct known_module {
    const uint8_t *build_id;
    uint32_t build_id_size;
    uint32_t found;              /* `syscall` instructions */
    const struct known_site *sites;
    uint32_t site_count;         /* more than `found` where calls to a site are redirected */
    const uint8_t *code;         /* of all sites, one behind the other */
};

/* Does what overlay_plan_module does, from what is known. Answers 0, with nothing changed, if the module is not known,
 * a wanted call cannot be intercepted as planned, or options->observe wants to see every site: analyse it then. */
int overlay_plan_known(const struct patch_module *module, const struct overlay_patch_options *options,
                       struct patch_plan *plan, struct overlay_patch_report *report);

#endif
