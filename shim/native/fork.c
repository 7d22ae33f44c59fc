#include "fork.h"

#include <pthread.h>

#include "engine_call.h"

void fork_prepare(void) { engine_gate_close(); }
void fork_parent(void) { engine_gate_open_in_parent(); }
void fork_child(void) { engine_gate_open_in_child(); }

void fork_watch(void)
{
    /* Handlers run in reverse order of registration for prepare: ours, the first, is the last before the fork, so that the
     * program's own handlers may still use files. */
    pthread_atfork(fork_prepare, fork_parent, fork_child);
}
