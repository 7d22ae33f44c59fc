/* The fork gate: engine calls hold it shared, a copy of the process exclusively (design 4). */
#ifndef OVERLAY_GATE_H
#define OVERLAY_GATE_H

#include "filter.h"

/* With all signals blocked: a handler would find the gate closed by its own thread. */
void gate_enter(void) HIDDEN;
void gate_leave(void) HIDDEN;

/* Nobody is inside, or about to copy the process. */
bool gate_is_empty(void) HIDDEN;

/* Waits until no engine call is under way, and keeps new ones back. */
void gate_close(void) HIDDEN;
void gate_open(void) HIDDEN;

/* The same in a process that borrows our memory: it may be killed in between, and we go on. */
void gate_close_as_borrower(void) HIDDEN;
void gate_open_as_borrower(void) HIDDEN;

/* In the copy. */
void gate_reset(void) HIDDEN;

/* A lock of this process, for what a few threads do once. */
void lock_take(int *lock) HIDDEN;
void lock_give(int *lock) HIDDEN;

#endif
