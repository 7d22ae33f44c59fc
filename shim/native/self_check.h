#ifndef OVERLAY_SELF_CHECK_H
#define OVERLAY_SELF_CHECK_H

#include <stdbool.h>

#include "trampoline.h"

/* While libc's calls are tried out: notes which call came, and answers it. */
extern bool overlay_is_self_checking __attribute__((visibility("hidden")));
int self_check_note(struct overlay_call *call) __attribute__((visibility("hidden")));

/*
 * Calls libc's functions once and sees whether they come to the filter. A libc that reaches the kernel another way than the
 * patcher knows is found here, before it could write plaintext.
 * Returns NULL, or the name of the first function that got past.
 */
const char *self_check(void) __attribute__((visibility("hidden")));

#endif
