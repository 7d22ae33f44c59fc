/*
 * Descriptors of the engine's that outlive an exec. Closing any descriptor of a file drops all POSIX locks that the process holds on it,
 * and the engine's, which close at exec, would do so; the program's own may stay open, and its locks with them. So those of a
 * process that took such a lock stay open as well, and the new program's filter is told their numbers by OVERLAY_KEPT.
 */
#ifndef OVERLAY_KEPT_H
#define OVERLAY_KEPT_H

#include "filter.h"

#define KEPT_VARIABLE "OVERLAY_KEPT="
#define KEPT_LIMIT 64

struct kept {
    int count;
    int descriptors[KEPT_LIMIT];
    char text[KEPT_LIMIT * 11 + 1]; /* the variable's value */
};

/* Has, or had, the process POSIX locks on sealed files? */
extern int overlay_has_locks HIDDEN;

/* The program took a POSIX lock on a sealed file. */
void kept_note_lock(void) HIDDEN;

/* A child has none of its parent's POSIX locks. */
void kept_in_child(void) HIDDEN;

/* Before an exec; the value for the variable, or NULL. kept_end: it failed. */
const char *kept_begin(struct kept *kept) HIDDEN;
void kept_end(const struct kept *kept) HIDDEN;

/* In the constructor: what an exec left us, by the variable's value. */
void kept_adopt(const char *list) HIDDEN;
int kept_adopted(const int **descriptors) HIDDEN;

#endif
