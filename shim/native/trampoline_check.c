#include "patch.h"
#include "trampoline_offsets.h"

_Static_assert(offsetof(struct overlay_call, number) == CALL_NUMBER, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, args) == CALL_ARGS, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, site) == CALL_SITE, "trampoline.S");
_Static_assert(offsetof(struct overlay_call, result) == CALL_RESULT, "trampoline.S");
_Static_assert(sizeof(struct overlay_call) == FRAME_FLAGS, "trampoline.S");
_Static_assert(NUMBER_LIMIT == OVERLAY_NUMBER_LIMIT, "trampoline.S");
