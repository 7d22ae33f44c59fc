/* The threads of this process, as the kernel lists them. */
#ifndef OVERLAY_TASKS_H
#define OVERLAY_TASKS_H

#include "filter.h"

/*
 * For each thread, `tasks` being a descriptor of the list, until one says true. 1: one has; 0: none; an error: there is no list. (The kernel keeps a name for
 * each thread that was listed, and takes long to end it then.)
 */
int tasks_any(bool (*is_it)(int tasks, int thread, void *argument), void *argument) HIDDEN;

/* Reads a file of the thread's own directory, with a 0 behind what fits. Bytes, or an error: it has ended. */
long tasks_read(int tasks, int thread, const char *name, char *target, size_t size) HIDDEN;

#endif
