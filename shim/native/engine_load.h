#ifndef OVERLAY_ENGINE_LOAD_H
#define OVERLAY_ENGINE_LOAD_H

#include "filter.h"

/*
 * Loads the engine unless it is. 0, or why there is none: -ELIBACC for good, another errno for now. To be called with signals blocked
 * and without the gate.
 */
long engine_ensure_loaded(void) HIDDEN;

/* The filter, for calls made "in engine". */
int engine_own_call(struct overlay_call *call) HIDDEN;

/* A forked child has only the thread that forked, and that one was not loading. */
void engine_load_in_child(void) HIDDEN;

#endif
