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

/* What this thread needs of libc's allocator for its calls into the engine. With signals blocked and without the gate. */
void engine_prepare_thread(void) HIDDEN;

/* Around a fork: the engine is not loaded meanwhile. */
void engine_hold_load(void) HIDDEN;
void engine_release_load(void) HIDDEN;

/* A forked child has only the thread that forked, and that one was not loading. */
void engine_load_in_child(void) HIDDEN;

#endif
