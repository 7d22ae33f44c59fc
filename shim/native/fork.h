/* Fork and the engine: no thread may be inside while the process is copied (design 4). */
#ifndef OVERLAY_FORK_H
#define OVERLAY_FORK_H

#include "filter.h"

/* Registers the gate with pthread_atfork. */
void fork_watch(void) HIDDEN;


#endif
