#include "patch_function.h"

#include <string.h>

int overlay_function_map(const struct patch_module *module, uint32_t index, uint8_t *mark, struct function_map *out)
{
    struct function_range next;

    if (!overlay_function_at(module, index, &out->range))
        return 0;
    /* clone() and its like end their unwind entry in front of the `syscall` and go on: what follows up to the next
     * function belongs to this one as long as it decodes. */
    uintptr_t start = out->range.start, described_end = out->range.end, at = start;
    uintptr_t end = overlay_function_at(module, index + 1, &next) ? next.start : described_end;
    if (end - start > FUNCTION_MAP_LIMIT)
        return 0;
    out->mark = mark;
    out->has_indirect_jump = 0;
    memset(mark, 0, end - start);

    while (at < end) {
        struct instruction i;
        if (!overlay_decode((const uint8_t *)at, (const uint8_t *)end, &i))
            break;
        mark[at - start] |= MARK_START;
        out->has_indirect_jump |= i.flow == FLOW_JUMP_INDIRECT;
        if (i.relative_size && i.target >= start && i.target < end)
            mark[i.target - start] |= MARK_TARGET;
        at += i.length;
    }
    out->range.end = at;
    return at >= described_end;
}

uintptr_t overlay_previous_instruction(const struct function_map *map, uintptr_t address)
{
    while (--address >= map->range.start)
        if (map->mark[address - map->range.start] & MARK_START)
            return address;
    return 0;
}
