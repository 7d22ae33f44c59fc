#include "patch_function.h"

#include <string.h>

#define TABLE_ENTRY_LIMIT 1024

/* A switch is compiled to
 *     lea table(%rip),%a;  movslq (%a,%b,4),%b;  add %a,%b;  jmp *%b
 * with a table of distances from itself. Whatever `table` a lea names is read as one, as far as it leads into text: a
 * table that is none marks a few targets too many, which at worst leaves a site unpatched. Answers 0 if it is none. */
static int mark_table(const struct patch_module *module, struct function_map *map, uintptr_t table)
{
    const struct address_range *segment = module->constants;
    for (uint32_t i = 0; i < module->constants_count; i++, segment++)
        if (table >= segment->start && table < segment->end)
            break;
    if (segment == module->constants + module->constants_count || table % 4 != 0)
        return 0;

    int found = 0;
    for (int i = 0; i < TABLE_ENTRY_LIMIT && table + 4u * (unsigned)i + 4 <= segment->end; i++) {
        int32_t distance;
        memcpy(&distance, (const void *)(table + 4u * (unsigned)i), 4);
        uintptr_t target = table + (uintptr_t)(intptr_t)distance;
        if (target < module->text || target >= module->text_end)
            break;
        if (target >= map->range.start && target < map->range.end) {
            map->mark[target - map->range.start] |= MARK_TARGET | MARK_TABLE;
            found = 1;
        }
    }
    return found;
}

static int mark_tables(const struct patch_module *module, struct function_map *map)
{
    int found = 0;
    struct instruction i;
    for (uintptr_t at = map->range.start; at < map->range.end; at += i.length) {
        int32_t displacement;
        if (!overlay_decode((const uint8_t *)at, (const uint8_t *)map->range.end, &i))
            return 0;
        if (i.map != MAP_ONE_BYTE || i.opcode != 0x8d || !i.rip_displacement)
            continue;
        memcpy(&displacement, (const void *)(at + i.rip_displacement), 4);
        found |= mark_table(module, map, at + i.length + (uintptr_t)(intptr_t)displacement);
    }
    return found;
}

int overlay_function_map(const struct patch_module *module, uint32_t index, struct function_scratch *scratch,
                         struct function_map *out)
{
    struct address_range next;
    uint8_t *mark = scratch->mark;

    if (!overlay_function_at(module, index, &out->range))
        return 0;
    /* clone() and its like end their unwind entry in front of the `syscall` and go on: what follows up to the next
     * function belongs to this one as long as it decodes. */
    uintptr_t start = out->range.start, described_end = out->range.end, at = start;
    uintptr_t end = overlay_function_at(module, index + 1, &next) ? next.start : described_end;
    if (end - start > FUNCTION_MAP_LIMIT)
        return 0;
    out->mark = mark;
    out->branches = scratch->branches;
    out->branch_count = 0;
    memset(mark, 0, end - start);

    int has_table_jump = 0;
    while (at < end) {
        struct instruction i;
        if (!overlay_decode((const uint8_t *)at, (const uint8_t *)end, &i))
            break;
        mark[at - start] |= MARK_START;
        has_table_jump |= i.flow == FLOW_JUMP_INDIRECT && i.modrm >> 6 == 3;    /* through memory: a tail call */
        if (i.relative_size && i.target >= start && i.target < end) {
            if (out->branch_count == FUNCTION_BRANCH_LIMIT)
                return 0;
            mark[i.target - start] |= MARK_TARGET;
            scratch->branches[out->branch_count++] = (struct branch){ (uint32_t)(at - start), (uint32_t)(i.target - start) };
        }
        at += i.length;
    }
    out->range.end = at;
    out->has_unknown_jump = has_table_jump && !mark_tables(module, out);
    return at >= described_end;
}

uintptr_t overlay_previous_instruction(const struct function_map *map, uintptr_t address)
{
    while (--address >= map->range.start)
        if (map->mark[address - map->range.start] & MARK_START)
            return address;
    return 0;
}
