/*
 * Programs that make system calls by themselves, not through libc: the filter would not see their reads and writes, and a file that they
 * make in a volume would be plaintext. Every Go program is one, with cgo or without.
 */
#ifndef OVERLAY_RAW_PROGRAM_H
#define OVERLAY_RAW_PROGRAM_H

#include "filter.h"

/* In the constructor: is this one, or is a library of it? */
bool raw_program_is_this(void) HIDDEN;

#endif
