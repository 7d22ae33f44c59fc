/* Fork and the engine: no thread may be inside while the process is copied (design 4). */
#ifndef OVERLAY_FORK_H
#define OVERLAY_FORK_H

#include "filter.h"

/* Registers the gate with pthread_atfork. */
void fork_watch(void) HIDDEN;

/* How many processes, those that were being made included, got our descriptors: their offsets are shared. */
extern int overlay_fork_count HIDDEN;

/* The copying call, with the gate closed; all signals are blocked. */
long fork_copy(long number, const long arguments[5]) HIDDEN;

#endif
