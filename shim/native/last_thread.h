/* Whether libc is about to call exit in this thread. */
#ifndef OVERLAY_LAST_THREAD_H
#define OVERLAY_LAST_THREAD_H

#include "filter.h"

/*
 * Asked by a thread whose last destructors run. No other goes on: the helper, which libc does not count, does not count here, nor do those that are ending, or a
 * first thread that has ended, which the kernel keeps.
 */
bool last_thread_is_this(void) HIDDEN;

/* A new thread, whose number an ended one may have had. */
void last_thread_begin(void) HIDDEN;

void last_thread_in_child(void) HIDDEN;

#endif
