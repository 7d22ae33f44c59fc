/* Length decoder for 64-bit x86: how long is the instruction at `code`, and what of it depends on its address. */
#ifndef OVERLAY_PATCH_DECODE_H
#define OVERLAY_PATCH_DECODE_H

#include <stdint.h>

enum instruction_flow {
    FLOW_NEXT,          /* falls through, no other successor */
    FLOW_BRANCH,        /* jcc, loop, jrcxz, xbegin: falls through or goes to `target` */
    FLOW_JUMP,          /* jmp rel: only to `target` */
    FLOW_CALL,          /* call rel: to `target`, then on */
    FLOW_CALL_INDIRECT,
    FLOW_JUMP_INDIRECT,
    FLOW_STOP,          /* ret, hlt, ud2, int3, iret */
};

enum opcode_map { MAP_ONE_BYTE = 0, MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3, MAP_VECTOR = 4 /* VEX, EVEX */ };

struct instruction {
    uint8_t length;
    uint8_t map;
    uint8_t opcode;
    uint8_t rex;                  /* 0 when there is none */
    uint8_t has_modrm, modrm;
    uint8_t has_66;
    uint8_t rip_displacement;     /* offset of a 4-byte %rip displacement, 0 = none */
    uint8_t flow;
    uint8_t relative_size;        /* of a branch: 1 or 4, at the end of the instruction */
    uintptr_t target;             /* of a direct branch */
};

/* Fills `out` and answers 1, or 0 if this is no instruction the decoder knows or it runs past `end`. */
int overlay_decode(const uint8_t *code, const uint8_t *end, struct instruction *out);

#endif
