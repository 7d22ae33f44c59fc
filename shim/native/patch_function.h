/* One function of a module, up to the next one, decoded: where its instructions start and which of them a direct branch goes to. */
#ifndef OVERLAY_PATCH_FUNCTION_H
#define OVERLAY_PATCH_FUNCTION_H

#include "patch_decode.h"
#include "patch_module.h"

/* Functions longer than this are not decoded (glibc's longest with a call in it is a tenth of it). */
#define FUNCTION_MAP_LIMIT (256 * 1024)

/* Most direct branches within one function; one with more is not decoded. */
#define FUNCTION_BRANCH_LIMIT 16384

enum { MARK_START = 1, MARK_TARGET = 2, MARK_TABLE = 4 /* a target by way of a jump table, MARK_TARGET is set too */ };

struct branch {
    uint32_t from, to;          /* offsets in the function */
};

/* What decoding a function takes; the caller provides it. */
struct function_scratch {
    uint8_t mark[FUNCTION_MAP_LIMIT];
    struct branch branches[FUNCTION_BRANCH_LIMIT];
};

struct function_map {
    struct address_range range;
    uint8_t *mark;              /* one byte for each byte of the function, MARK_* */
    const struct branch *branches;
    uint32_t branch_count;
    int has_unknown_jump;       /* an indirect jump whose table was not found may lead anywhere in the function */
};

/* Decodes function `index`. Answers 0 if it does not decode to its end. */
int overlay_function_map(const struct patch_module *module, uint32_t index, struct function_scratch *scratch,
                         struct function_map *out);

static inline int overlay_is_marked(const struct function_map *map, uintptr_t address, int mark)
{
    return address >= map->range.start && address < map->range.end && (map->mark[address - map->range.start] & mark);
}

/* The instruction that ends where `address` starts; 0 if that is the start of the function. */
uintptr_t overlay_previous_instruction(const struct function_map *map, uintptr_t address);

#endif
