#ifndef OVERLAY_DISPATCH_H
#define OVERLAY_DISPATCH_H

#include "filter.h"

#define CALL_LIMIT 512

/* Marks in `interest` (one byte a call number) every call that the filter wants to see. */
void dispatch_mark_interest(uint8_t interest[CALL_LIMIT]) HIDDEN;

#endif
