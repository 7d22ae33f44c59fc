/*
 * A thread of ours that compresses and seals blocks of large writes beside their caller (docs/decisions.md, "Who helps with a large write?").
 * Made by a bare clone: libc does not know it, so it takes none of libc's locks, runs no destructors, and changes nothing for who asks libc about
 * threads. It runs only code that needs no thread-local memory (AheadJob.cs), and makes no system call but to wait and to end.
 */
#ifndef OVERLAY_HELPER_H
#define OVERLAY_HELPER_H

#include "engine.h"
#include "filter.h"

/* For the engine; inside of an engine call. */
extern const struct overlay_helper_calls overlay_helper_calls HIDDEN;

/* OVERLAY_HELPER, or NULL. 0: never; 1: also where the machine is busy. */
void helper_set(const char *value) HIDDEN;

/* For something that such a thread does not go with. It does not come back. */
void helper_forbid(void) HIDDEN;

/* The process has one thread less when this returns. Until somebody needs it again; with the gate closed nobody can. */
void helper_end(void) HIDDEN;

/* In a forked child, which does not have it. */
void helper_in_child(void) HIDDEN;

/* Its thread id; 0: there is none. All signals are blocked in it. */
int helper_thread(void) HIDDEN;

#endif
