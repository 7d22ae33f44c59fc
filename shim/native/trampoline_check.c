#include "trap.h"
#include "trampoline_offsets.h"

_Static_assert(offsetof(struct overlay_call, number) == CALL_NUMBER, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, args) == CALL_ARGS, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, site) == CALL_SITE, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, result) == CALL_RESULT, "trampoline.S");
_Static_assert(sizeof(struct overlay_call) == FRAME_FLAGS, "trampoline.S");
_Static_assert(NUMBER_LIMIT == OVERLAY_NUMBER_LIMIT, "trampoline.S");
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_BYTES && TRAP_BELOW == TRAP_FRAME_BYTES + 128, "trap_tail.S");
_Static_assert(offsetof(struct trap_frame, rdi) == 16 && offsetof(struct trap_frame, r9) == 56, "trap_tail.S");
_Static_assert(offsetof(struct trap_call, copy_stack) == FRAME_STACK, "fork.c");
_Static_assert(offsetof(struct trap_call, program_stack) == TRAP_STACK && offsetof(struct trap_call, program_next) == TRAP_NEXT &&
               offsetof(struct trap_call, program_flags) == TRAP_FLAGS && offsetof(struct trap_call, next) == TRAP_GO_ON &&
               offsetof(struct trap_call, next_stack) == TRAP_GO_ON_STACK, "trap_tail.S");
