#include "patch_decode.h"

#include <string.h>

/* What follows an opcode. Tables are one letter for each opcode, so that they can be read beside the manual's map:
 *   . nothing   m ModRM   b ModRM imm8   z ModRM imm32/16   i imm8   w imm16   d imm32/16   q imm64 with REX.W, else d
 *   j rel8   l rel32   o moffs   e imm16 imm8   3 group F6 (imm8 for /0 /1)   4 group F7   p prefix   X not here */
static const char one_byte[257] =
    "mmmmidXX" "mmmmidXX" "mmmmidXX" "mmmmidXX" "mmmmidpX" "mmmmidpX" "mmmmidpX" "mmmmidpX"    /* 00-3f */
    "pppppppp" "pppppppp" "........" "........" "XXXmpppp" "dzib...." "jjjjjjjj" "jjjjjjjj"    /* 40-7f */
    "bzXbmmmm" "mmmmmmmm" "........" "..X....." "oooo...." "id......" "iiiiiiii" "qqqqqqqq"    /* 80-bf */
    "bbw.XXbz" "e.w..iX." "mmmmXXX." "mmmmmmmm" "jjjjiiii" "llXj...." "p.pp..34" "......mm";   /* c0-ff */

static const char two_byte[257] =
    "mmmmX..." "..X.XmXX" "mmmmmmmm" "mmmmmmmm" "mmmmXXXX" "mmmmmmmm" "........" "XXXXXXXX"    /* 00-3f */
    "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "bbbbmmm." "mmmmmmmm"    /* 40-7f */
    "llllllll" "llllllll" "mmmmmmmm" "mmmmmmmm" "...mbmXX" "...mbmmm" "mmmmmmmm" "mmbmmmmm"    /* 80-bf */
    "mmbmbbbm" "........" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm";   /* c0-ff */

struct cursor {
    const uint8_t *at, *end;
};

static int take(struct cursor *c, int count)
{
    if (c->end - c->at < count)
        return 0;
    c->at += count;
    return 1;
}

/* ModRM, SIB and displacement. */
static int take_operand(struct cursor *c, const uint8_t *start, struct instruction *out)
{
    if (!take(c, 1))
        return 0;
    uint8_t modrm = c->at[-1], mod = modrm >> 6, rm = modrm & 7;
    out->has_modrm = 1;
    out->modrm = modrm;
    if (mod == 3)
        return 1;
    if (rm == 4) {
        if (!take(c, 1))
            return 0;
        if (mod == 0 && (c->at[-1] & 7) == 5)
            return take(c, 4);
    } else if (rm == 5 && mod == 0) {
        out->rip_displacement = (uint8_t)(c->at - start);
        return take(c, 4);
    }
    return mod == 0 ? 1 : take(c, mod == 1 ? 1 : 4);
}

/* VEX (c4, c5) and EVEX (62): prefix bytes, opcode, operand; imm8 by the legacy map the prefix names. */
static int take_vector(struct cursor *c, const uint8_t *start, uint8_t lead, struct instruction *out)
{
    int map = 1, payload = lead == 0xc5 ? 1 : lead == 0xc4 ? 2 : 3;
    if (!take(c, payload + 1))
        return 0;
    const uint8_t *prefix = c->at - payload - 1;
    if (lead != 0xc5)
        map = prefix[0] & (lead == 0x62 ? 7 : 31);
    out->map = MAP_VECTOR;
    out->opcode = c->at[-1];
    if (lead != 0x62 && map == 1 && out->opcode == 0x77)    /* vzeroupper has no operand */
        return 1;
    if (map == 0 || map == 4 || map > 6 || !take_operand(c, start, out))    /* 4: APX, unknown to this decoder */
        return 0;
    if (map == 3 || (map == 1 && two_byte[out->opcode] == 'b'))
        return take(c, 1);
    return 1;
}

static int take_immediate(struct cursor *c, char kind, int narrow, struct instruction *out)
{
    int operand = narrow ? 2 : 4;
    switch (kind) {
    case '.': case 'm': return 1;
    case 'b': case 'i': return take(c, 1);
    case 'z': case 'd': return take(c, operand);
    case 'w': return take(c, 2);
    case 'e': return take(c, 3);
    case 'q': return take(c, (out->rex & 8) ? 8 : operand);
    case 'o': return take(c, 8);
    case 'j': out->relative_size = 1; return take(c, 1);
    case 'l': out->relative_size = 4; return take(c, 4);
    case '3': return (out->modrm >> 3 & 7) < 2 ? take(c, 1) : 1;
    case '4': return (out->modrm >> 3 & 7) < 2 ? take(c, operand) : 1;
    default: return 0;
    }
}

static void set_flow(const struct cursor *c, struct instruction *out)
{
    uint8_t op = out->opcode, group = out->modrm >> 3 & 7;
    out->flow = FLOW_NEXT;
    if (out->map == MAP_ONE_BYTE) {
        if (op == 0xe8)
            out->flow = FLOW_CALL;
        else if (op == 0xe9 || op == 0xeb)
            out->flow = FLOW_JUMP;
        else if (out->relative_size)
            out->flow = FLOW_BRANCH;
        else if (op == 0xc2 || op == 0xc3 || op == 0xca || op == 0xcb || op == 0xcc || op == 0xcf || op == 0xf4)
            out->flow = FLOW_STOP;
        else if (op == 0xff && (group == 2 || group == 3))
            out->flow = FLOW_CALL_INDIRECT;
        else if (op == 0xff && (group == 4 || group == 5))
            out->flow = FLOW_JUMP_INDIRECT;
        else if (op == 0xc7 && out->modrm == 0xf8) {    /* xbegin */
            out->flow = FLOW_BRANCH;
            out->relative_size = 4;
        }
    } else if (out->map == MAP_0F) {
        if (out->relative_size)
            out->flow = FLOW_BRANCH;
        else if (op == 0x0b)    /* ud2 */
            out->flow = FLOW_STOP;
    }
    if (out->relative_size == 1) {
        out->target = (uintptr_t)c->at + (uintptr_t)(intptr_t)(int8_t)c->at[-1];
    } else if (out->relative_size == 4) {
        int32_t relative;
        memcpy(&relative, c->at - 4, 4);
        out->target = (uintptr_t)c->at + (uintptr_t)(intptr_t)relative;
    }
}

int overlay_decode(const uint8_t *code, const uint8_t *end, struct instruction *out)
{
    struct cursor c = { code, end };
    int short_address = 0;
    uint8_t op;
    char kind;

    *out = (struct instruction){ 0 };
    if (end - code > 15)
        c.end = code + 15;
    for (;;) {
        if (!take(&c, 1))
            return 0;
        op = c.at[-1];
        if ((op & 0xf0) == 0x40) {
            out->rex = op;
            continue;
        }
        if (one_byte[op] != 'p')
            break;
        out->rex = 0;    /* REX counts only right before the opcode */
        out->has_66 |= op == 0x66;
        short_address |= op == 0x67;
    }
    if (op == 0xc4 || op == 0xc5 || op == 0x62) {
        if (!take_vector(&c, code, op, out))
            return 0;
    } else {
        out->map = MAP_ONE_BYTE;
        kind = one_byte[op];
        if (op == 0x0f) {
            if (!take(&c, 1))
                return 0;
            op = c.at[-1];
            out->map = MAP_0F;
            kind = two_byte[op];
            if (op == 0x38 || op == 0x3a) {
                if (!take(&c, 1))
                    return 0;
                out->map = op == 0x38 ? MAP_0F38 : MAP_0F3A;
                kind = op == 0x38 ? 'm' : 'b';
                op = c.at[-1];
            }
        }
        out->opcode = op;
        if (kind == 'X' || (kind == 'o' && short_address))
            return 0;
        if ((kind == 'm' || kind == 'b' || kind == 'z' || kind == '3' || kind == '4') && !take_operand(&c, code, out))
            return 0;
        if (!take_immediate(&c, kind, out->has_66 && !(out->rex & 8), out))
            return 0;
        if (out->map == MAP_ONE_BYTE && op == 0x8f && (out->modrm >> 3 & 7) != 0)    /* XOP, not a pop */
            return 0;
        set_flow(&c, out);
    }
    out->length = (uint8_t)(c.at - code);
    return 1;
}
