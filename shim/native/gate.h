/* The fork gate: engine calls hold it shared, a fork exclusively (design 4). */
#ifndef OVERLAY_GATE_H
#define OVERLAY_GATE_H

#include "filter.h"

/* With all signals blocked: a handler would find the gate closed by its own thread. */
void gate_enter(void) HIDDEN;
void gate_leave(void) HIDDEN;

/* Waits until no engine call is under way, and keeps new ones back. */
void gate_close(void) HIDDEN;
void gate_open_in_parent(void) HIDDEN;
void gate_open_in_child(void) HIDDEN;

/* A lock of this process, for what a few threads do once. */
void lock_take(int *lock) HIDDEN;
void lock_give(int *lock) HIDDEN;

#endif
