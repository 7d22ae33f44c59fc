/*
 * May the program's pointers be followed? To a bad one the kernel answers EFAULT, and we would die of it in the program's place. A page is
 * tried by a system call that changes nothing; those that were found good are remembered until the program unmaps something.
 */
#ifndef OVERLAY_REACHABLE_H
#define OVERLAY_REACHABLE_H

#include "filter.h"
#include "plain_path.h"

bool can_read(const void *memory, size_t size) HIDDEN;

/* Changes nothing. */
bool can_write(void *memory, size_t size) HIDDEN;

/* Any bytes that are about to be written: asking changes none of them. */
bool can_fill(const void *memory, size_t size) HIDDEN;

/* False for a path that is too long, too: the kernel says what it thinks of either. */
bool can_read_path(const char *path) HIDDEN;

/* The same, and what else one look tells; PATH_UNREADABLE where can_read_path is false. */
enum path_look path_look(const char *path) HIDDEN;

/* A text of any length, as far as a path could go. */
bool can_read_start(const char *text) HIDDEN;

/* Grows with each reachable_forget; the engine looks at it, too. */
extern uint32_t overlay_memory_generation HIDDEN;

/* After munmap, mprotect and the like. */
void reachable_forget(void) HIDDEN;

#endif
