/* Slots: the code a patched site jumps to, in memory within reach of a rel32 jump from libc.
 *
 *   region:  struct slot_constants | slots ... | (own page) interest table
 */
#ifndef OVERLAY_PATCH_SLOT_H
#define OVERLAY_PATCH_SLOT_H

#include "patch_site.h"

struct slot_region {
    uint8_t *start, *next, *limit;      /* code, made executable by overlay_slots_seal */
    uint8_t *interest;
    size_t size;
};

/* Maps a writable region for `count` slots near [low, high). Answers 0 or -errno. */
long overlay_slots_allocate(uintptr_t low, uintptr_t high, uint32_t count, struct slot_region *out);
void overlay_slots_free(struct slot_region *region);

/* Writes the slot of `site` and sets site->slot. Answers 0 if something it refers to is out of reach. */
int overlay_slot_write(struct slot_region *region, struct overlay_patch_site *site);

/* Makes the code executable and no longer writable. Answers 0 or -errno. */
long overlay_slots_seal(struct slot_region *region);

#endif
