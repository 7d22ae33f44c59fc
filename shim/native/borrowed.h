/* Engine calls of a process that borrows our memory: a child of posix_spawn before its exec. */
#ifndef OVERLAY_BORROWED_H
#define OVERLAY_BORROWED_H

#include "filter.h"

/* Before such a process is made: sees to it that its copies will have an engine. */
void borrowed_expect(void) HIDDEN;

/* Threads of the process, as the kernel counts them; 0: it does not say. */
long borrowed_thread_count(void) HIDDEN;

/* As engine_invoke, but leaves nothing in memory, whenever the caller is killed. */
long borrowed_invoke(void *const *entry, const long arguments[7]) HIDDEN;

#endif
