#include "patch_site.h"

#include <string.h>

/* glibc 2.41 and later make every cancellable call of a threaded process here. A cancelling signal's handler looks
 * whether the program counter is between the start of this function and its `syscall`; were the way through a slot,
 * a request that comes while the thread is in the slot would be lost. So the function stays as it is and the calls to
 * it are redirected. These are its last instructions, from saving %rdi on. */
static const uint8_t cancellable_tail[] = {
    0x49, 0x89, 0xfb, 0x48, 0x89, 0xf0, 0x48, 0x89, 0xd7, 0x48, 0x89, 0xce, 0x4c, 0x89, 0xc2, 0x4d, 0x89, 0xca,
    0x4c, 0x8b, 0x44, 0x24, 0x08, 0x4c, 0x8b, 0x4c, 0x24, 0x10, 0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05, 0xc3,
};

static int is_cancellable_function(const struct function_map *map, uintptr_t syscall)
{
    uintptr_t tail = syscall + 3 - sizeof cancellable_tail;
    return tail > map->range.start && tail - map->range.start < 24 && map->range.end >= syscall + 3 &&
           memcmp((const void *)tail, cancellable_tail, sizeof cancellable_tail) == 0;
}

int overlay_is_movable(const struct instruction *i)
{
    int near_only = i->map == MAP_ONE_BYTE && i->opcode >= 0xe0 && i->opcode <= 0xe3;    /* loop, jrcxz: no rel32 form */
    int xbegin = i->map == MAP_ONE_BYTE && i->opcode == 0xc7 && i->relative_size;
    int syscall = i->map == MAP_0F && i->opcode == 0x05;
    return i->flow == FLOW_NEXT ? !syscall : i->flow == FLOW_BRANCH && !near_only && !xbegin;
}

static int is_padding(uintptr_t from, uintptr_t to)
{
    while (from < to) {
        struct instruction i;
        if (!overlay_decode((const uint8_t *)from, (const uint8_t *)to, &i))
            return 0;
        int nop = (i.map == MAP_ONE_BYTE && (i.opcode == 0x90 || i.opcode == 0xcc) && !(i.rex & 1)) ||
                  (i.map == MAP_0F && i.opcode == 0x1f);
        if (!nop)
            return 0;
        from += i.length;
    }
    return 1;
}

static int is_taken(const struct patch_plan *plan, uintptr_t at)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        uintptr_t other = plan->sites[i].springboard;
        if (other && at < other + PATCH_JUMP_SIZE && other < at + PATCH_JUMP_SIZE)
            return 1;
    }
    return 0;
}

/* Five free bytes of padding between two functions, within reach of a short jump at `from`; 0 if there are none. */
static uintptr_t find_padding(const struct patch_module *module, uint32_t function, const struct patch_plan *plan,
                              uintptr_t from)
{
    uintptr_t origin = from + PATCH_SHORT_JUMP_SIZE;
    struct address_range before, after;
    uint32_t first = function > 4 ? function - 4 : 0;

    for (uint32_t i = first; i < function + 4; i++) {
        if (!overlay_function_at(module, i, &before) || !overlay_function_at(module, i + 1, &after))
            continue;
        if (after.start < before.end + PATCH_JUMP_SIZE || after.start - before.end > 64 ||
            !is_padding(before.end, after.start))
            continue;
        for (uintptr_t at = before.end; at + PATCH_JUMP_SIZE <= after.start; at++)
            if (at + 128 >= origin && at <= origin + 127 && !is_taken(plan, at))
                return at;
    }
    return 0;
}

/* Takes whole instructions before the call, back to the first at which a jump fits. Nothing may lead into them but
 * from above: neither a branch, nor, as far as can be seen, a jump table. */
static int find_room(const struct function_map *map, struct overlay_patch_site *site)
{
    uintptr_t at = site->syscall;
    struct instruction i;

    do {
        if (overlay_is_marked(map, at, MARK_TARGET) || (at != site->syscall && map->has_unknown_jump))
            return 0;
        at = overlay_previous_instruction(map, at);
        if (!at || !overlay_decode((const uint8_t *)at, (const uint8_t *)site->syscall, &i) || !overlay_is_movable(&i))
            return 0;
    } while (site->syscall - at < PATCH_JUMP_SIZE);

    site->start = at;
    site->moved = (uint8_t)(site->syscall - at);
    site->overwritten = 0;
    while (site->overwritten < PATCH_JUMP_SIZE) {
        overlay_decode((const uint8_t *)at + site->overwritten, (const uint8_t *)site->syscall, &i);
        site->overwritten = (uint8_t)(site->overwritten + i.length);
    }
    return 1;
}

static int find_springboard(const struct patch_module *module, uint32_t function, const struct function_map *map,
                            const struct patch_plan *plan, struct overlay_patch_site *site)
{
    struct instruction i;
    uintptr_t at = overlay_previous_instruction(map, site->syscall);

    if (!at || overlay_is_marked(map, site->syscall, MARK_TARGET) ||
        !overlay_decode((const uint8_t *)at, (const uint8_t *)site->syscall, &i) || !overlay_is_movable(&i) ||
        i.length < PATCH_SHORT_JUMP_SIZE)
        return 0;
    site->springboard = find_padding(module, function, plan, at);
    site->start = at;
    site->moved = i.length;
    site->overwritten = i.length;
    return site->springboard != 0;
}

void overlay_site_decide(const struct patch_module *module, uint32_t function, const struct function_map *map,
                         const struct patch_plan *plan, struct overlay_patch_site *site)
{
    if (is_cancellable_function(map, site->syscall)) {
        site->start = map->range.start;
        site->fate = OVERLAY_SITE_CALLERS;
    } else if (find_room(map, site)) {
        site->fate = OVERLAY_SITE_JUMP;
    } else if (find_springboard(module, function, map, plan, site)) {
        site->fate = OVERLAY_SITE_SPRINGBOARD;
    } else {
        site->fate = OVERLAY_SITE_UNPATCHABLE;
    }
}
