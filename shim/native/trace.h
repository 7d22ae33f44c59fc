/* `overlay-ctl trace`: one datagram a call to the socket that OVERLAY_TRACE names; the line is described in docs/trace.md. */
#ifndef OVERLAY_TRACE_H
#define OVERLAY_TRACE_H

#include "filter.h"

extern const char *overlay_trace_socket HIDDEN; /* NULL: off */

static inline bool trace_is_on(void) { return overlay_trace_socket != NULL; }

/* Runs the handler, or the kernel's call where it passes, and reports it. */
int trace_call(struct overlay_call *call, call_handler handler) HIDDEN;

#endif
