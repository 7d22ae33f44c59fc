#ifndef OVERLAY_PROGRAM_CHECK_H
#define OVERLAY_PROGRAM_CHECK_H

#include "filter.h"

/*
 * Can LD_PRELOAD enter the program that (directory, path) names? 0: yes, or the kernel will answer the exec itself.
 * -EACCES: no (static, 32-bit, set-user-id, sealed, or our library is out of its reach), and the reason was logged.
 */
long program_check(int directory, const char *path, int flags) HIDDEN;

/* OVERLAY_ALLOW_STATIC=1: such programs run, and see ciphertext. */
void program_allow_static(bool is_allowed) HIDDEN;

#endif
