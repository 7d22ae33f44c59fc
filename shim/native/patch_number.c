#include "patch_number.h"

#include <string.h>

#define STEPS_BACK 32
#define EAX 0
#define ECX 1
#define EDX 2
#define R11 11

static int modrm_reg(const struct instruction *i)
{
    return (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
}

/* The register an r/m operand names, -1 if it is memory. */
static int modrm_rm(const struct instruction *i)
{
    return i->modrm >> 6 == 3 ? (i->modrm & 7) | (i->rex & 1) << 3 : -1;
}

/* An r/m operand of one byte: without REX, 4 to 7 are the second bytes of registers 0 to 3. */
static int writes_byte_rm(const struct instruction *i, int reg)
{
    int rm = modrm_rm(i);
    return rm == reg || (!i->rex && rm == reg + 4);
}

static int may_write_one_byte(const struct instruction *i, int reg)
{
    uint8_t op = i->opcode, group = i->modrm >> 3 & 7;

    if (op < 0x40) {    /* add or adc sbb and sub xor cmp */
        if ((op & 0x38) == 0x38)
            return 0;
        if ((op & 7) > 3)
            return reg == EAX;
        return (op & 1) == 0 || ((op & 2) ? modrm_reg(i) : modrm_rm(i)) == reg;
    }
    if (op >= 0x50 && op < 0x58)    /* push */
        return 0;
    if (op >= 0x58 && op < 0x60)    /* pop */
        return ((op & 7) | (i->rex & 1) << 3) == reg;
    if (op >= 0x70 && op < 0x80)    /* jcc, not taken on the way here */
        return 0;
    if (op >= 0xb8 && op <= 0xbf)
        return ((op & 7) | (i->rex & 1) << 3) == reg;
    switch (op) {
    case 0x80:
        return group != 7 && writes_byte_rm(i, reg);
    case 0x81: case 0x83:
        return group != 7 && modrm_rm(i) == reg;
    case 0x84: case 0x85: case 0x90: case 0x68: case 0x6a: case 0xa8: case 0xa9:
        return 0;
    case 0x89: case 0xc7: case 0xc1: case 0xd1: case 0xd3:
        return modrm_rm(i) == reg;
    case 0x88: case 0xc6:
        return writes_byte_rm(i, reg);
    case 0x8b: case 0x8d: case 0x63: case 0x69: case 0x6b:
        return modrm_reg(i) == reg;
    case 0x87:    /* xchg */
        return modrm_reg(i) == reg || modrm_rm(i) == reg;
    case 0x98:    /* cltq */
        return reg == EAX;
    case 0x99:    /* cltd */
        return reg == EDX;
    case 0xff:    /* inc, dec, push */
        return group < 2 ? modrm_rm(i) == reg : group != 6;
    case 0xf6:    /* of one byte; mul and div write %ax */
        return group > 3 ? reg == EAX : group > 1 && writes_byte_rm(i, reg);
    case 0xf7:    /* test, not, neg; mul and div write more */
        return group > 3 || modrm_rm(i) == reg;
    default:
        return 1;
    }
}

/* 0 only for instructions known to leave register `reg` alone. */
static int may_write(const struct instruction *i, int reg)
{
    uint8_t op = i->opcode;

    if (i->map == MAP_ONE_BYTE)
        return may_write_one_byte(i, reg);
    if (i->map != MAP_0F)
        return 1;
    if ((op >= 0x40 && op < 0x50) || op == 0xb6 || op == 0xb7 || op == 0xbe || op == 0xbf)    /* cmov, movzx, movsx */
        return modrm_reg(i) == reg;
    if (op >= 0x90 && op < 0xa0)    /* setcc */
        return writes_byte_rm(i, reg);
    if (op >= 0x80 && op < 0x90)    /* jcc */
        return 0;
    if (op == 0x05)    /* syscall */
        return reg == EAX || reg == ECX || reg == R11;
    if (op == 0xb1)    /* cmpxchg */
        return reg == EAX || modrm_rm(i) == reg;
    if (op == 0xc1)    /* xadd */
        return modrm_reg(i) == reg || modrm_rm(i) == reg;
    if (op == 0xaf || op == 0xbc || op == 0xbd)    /* imul, bsf, bsr */
        return modrm_reg(i) == reg;
    /* Else only moves between vector registers and memory, prefetch and nop are known to write none. */
    return !((op >= 0x10 && op <= 0x1f) || op == 0x28 || op == 0x29 || op == 0x6c || op == 0x6e || op == 0x6f ||
             op == 0x7f || op == 0xef || op == 0xd6);
}

/* mov $imm32,%reg; mov $imm32,%reg (64 bits); xor %reg,%reg */
static int sets_constant(const struct instruction *i, uintptr_t at, int reg, int *number)
{
    int32_t immediate;

    if (i->map != MAP_ONE_BYTE || i->has_66)
        return 0;
    if ((i->opcode == 0x31 || i->opcode == 0x33) && modrm_reg(i) == reg && modrm_rm(i) == reg) {
        *number = 0;
        return 1;
    }
    int short_form = (i->opcode & 0xf8) == 0xb8 && ((i->opcode & 7) | (i->rex & 1) << 3) == reg && !(i->rex & 8);
    if (!short_form && !(i->opcode == 0xc7 && modrm_rm(i) == reg))
        return 0;
    memcpy(&immediate, (const void *)(at + i->length - 4), 4);
    *number = immediate;
    return immediate >= 0;
}

/* mov %other,%reg: answers `other`, else -1. */
static int copies_register(const struct instruction *i, int reg)
{
    if (i->map != MAP_ONE_BYTE || i->has_66 || modrm_rm(i) < 0)
        return -1;
    if (i->opcode == 0x89 && modrm_rm(i) == reg)
        return modrm_reg(i);
    if (i->opcode == 0x8b && modrm_reg(i) == reg)
        return modrm_rm(i);
    return -1;
}

/* What is known of a register's value, from one way to an instruction or from all of them. */
#define VALUE_UNKNOWN (-1)
#define VALUE_NO_WAY (-2)      /* no way seen yet; a loop adds none */

#define STEP_LIMIT 400
#define JOIN_LIMIT 32

struct search {
    const struct function_map *map;
    int steps;
    int joins;
    struct { uintptr_t at; int reg; } join[JOIN_LIMIT];    /* joins of several ways that were looked at already */
};

static int value_before(struct search *search, uintptr_t at, int reg);

static int either(int a, int b)
{
    return a == VALUE_NO_WAY ? b : b == VALUE_NO_WAY ? a : a == b ? a : VALUE_UNKNOWN;
}

/* By the branches that lead to `at`. */
static int value_from_branches(struct search *search, uintptr_t at, int reg)
{
    const struct function_map *map = search->map;
    int value = VALUE_NO_WAY;

    for (int i = 0; i < search->joins; i++)
        if (search->join[i].at == at)
            return search->join[i].reg == reg ? VALUE_NO_WAY : VALUE_UNKNOWN;
    if (search->joins == JOIN_LIMIT || overlay_is_marked(map, at, MARK_TABLE))
        return VALUE_UNKNOWN;
    search->join[search->joins].at = at;
    search->join[search->joins++].reg = reg;
    for (uint32_t i = 0; i < map->branch_count && value != VALUE_UNKNOWN; i++)
        if (map->branches[i].to == at - map->range.start)
            value = either(value, value_before(search, map->range.start + map->branches[i].from, reg));
    return value;
}

static int is_kept_by_calls(int reg)
{
    return reg == 3 || reg == 5 || reg >= 12;    /* rbx, rbp, r12 to r15 */
}

/* The value of `reg` when the instruction at `at` starts: VALUE_*, or a constant if every way there brings the same. */
static int value_before(struct search *search, uintptr_t at, int reg)
{
    const struct function_map *map = search->map;
    int value = VALUE_NO_WAY, number, other;
    int only_padding = 0;    /* since the last target: nothing but nops, which a jump over them leaves unreachable */

    for (;;) {
        struct instruction i;
        if (at == map->range.start || --search->steps < 0)
            return VALUE_UNKNOWN;
        if (overlay_is_marked(map, at, MARK_TARGET)) {
            value = either(value, value_from_branches(search, at, reg));
            only_padding = 1;
        }
        uintptr_t before = overlay_previous_instruction(map, at);
        if (value == VALUE_UNKNOWN || !before || !overlay_decode((const uint8_t *)before, (const uint8_t *)at, &i))
            return VALUE_UNKNOWN;
        if (i.flow == FLOW_JUMP || i.flow == FLOW_JUMP_INDIRECT || i.flow == FLOW_STOP)    /* no way from above */
            return only_padding ? value : VALUE_UNKNOWN;
        only_padding &= (i.map == MAP_0F && i.opcode == 0x1f) || (i.map == MAP_ONE_BYTE && i.opcode == 0x90);
        if (sets_constant(&i, before, reg, &number))
            return either(value, number);
        int is_call = i.flow == FLOW_CALL || i.flow == FLOW_CALL_INDIRECT;
        if ((other = copies_register(&i, reg)) >= 0)
            reg = other;
        else if (is_call ? !is_kept_by_calls(reg) : may_write(&i, reg))
            return VALUE_UNKNOWN;
        at = before;
    }
}

int overlay_call_number(const struct function_map *map, uintptr_t syscall)
{
    struct search search = { .map = map, .steps = STEP_LIMIT };
    struct instruction i;
    uintptr_t last = overlay_previous_instruction(map, syscall);
    int number;

    if (map->has_unknown_jump) {    /* any instruction but the last may have another way in */
        return last && !overlay_is_marked(map, syscall, MARK_TARGET) &&
               overlay_decode((const uint8_t *)last, (const uint8_t *)syscall, &i) &&
               sets_constant(&i, last, EAX, &number) ? number : NUMBER_UNKNOWN;
    }
    number = value_before(&search, syscall, EAX);
    return number >= 0 ? number : NUMBER_UNKNOWN;
}

int overlay_call_number_presumed(const struct function_map *map, uintptr_t syscall)
{
    uintptr_t at = syscall;
    int reg = EAX, number, other;

    for (int steps = 0; steps < STEPS_BACK; steps++) {
        struct instruction i;
        at = overlay_previous_instruction(map, at);
        if (!at || !overlay_decode((const uint8_t *)at, (const uint8_t *)map->range.end, &i))
            break;
        if (sets_constant(&i, at, reg, &number))
            return number;
        if ((other = copies_register(&i, reg)) >= 0)
            reg = other;
        else if ((i.flow != FLOW_NEXT && i.flow != FLOW_BRANCH) || may_write(&i, reg))
            break;
    }
    return NUMBER_UNKNOWN;
}
