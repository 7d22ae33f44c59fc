#include "patch_number.h"

#include <string.h>

#define STEPS_BACK 32
#define EAX 0

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
        if ((op & 7) > 3)
            return reg == EAX;
        if ((op & 0x38) == 0x38)
            return 0;
        return (op & 1) == 0 || ((op & 2) ? modrm_reg(i) : modrm_rm(i)) == reg;
    }
    if (op >= 0x50 && op < 0x58)    /* push */
        return 0;
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
    case 0x8b: case 0x8d: case 0x63:
        return modrm_reg(i) == reg;
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

static int follow(const struct function_map *map, uintptr_t at, int steps, int stop_at_targets)
{
    int reg = EAX, number, other;

    for (; steps > 0; steps--) {
        struct instruction i;
        if (stop_at_targets && overlay_is_marked(map, at, MARK_TARGET))
            break;
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

int overlay_call_number(const struct function_map *map, uintptr_t syscall)
{
    /* Where an unknown jump table leads is not marked, so past one instruction there may be another way in. */
    return follow(map, syscall, map->has_unknown_jump ? 1 : STEPS_BACK, 1);
}

int overlay_call_number_presumed(const struct function_map *map, uintptr_t syscall)
{
    return follow(map, syscall, STEPS_BACK, 0);
}
