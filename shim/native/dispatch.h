#ifndef OVERLAY_DISPATCH_H
#define OVERLAY_DISPATCH_H

#include "filter.h"

#define CALL_LIMIT 512

/* Marks in `interest` (one byte a call number) every call that the filter wants to see; more of them where calls are trapped (trap.h). */
void dispatch_mark_interest(uint8_t interest[CALL_LIMIT], bool has_traps) HIDDEN;

#endif
