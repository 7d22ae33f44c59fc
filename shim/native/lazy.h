/*
 * Private mappings of sealed files that are filled when they are touched: docs/decisions.md, "When is a private mapping filled?". What is not
 * filled is out of reach (PROT_NONE): a touch of the program's is a SIGSEGV, of which it never hears; before a touch of the kernel's, in a
 * system call, the filter fills what the call's pointers lead to.
 */
#ifndef OVERLAY_LAZY_H
#define OVERLAY_LAZY_H

#include "engine.h"
#include "filter.h"

/* Not 0 while there are any. */
extern int overlay_lazy_count HIDDEN;

/* What the engine says and asks: engine.h. */
void lazy_note(const struct overlay_lazy_range *ranges, int count) HIDDEN;
int lazy_begin(void) HIDDEN;

/* Calls are seen that the kernel would answer with EFAULT: set by init.c. */
extern bool overlay_lazy_is_possible HIDDEN;

/* engine.h, fault. */
long lazy_fill(uintptr_t start, uint64_t size, int access) HIDDEN;

/* Does the address lie in such a mapping? */
bool lazy_has(uintptr_t address) HIDDEN;

/* Fills what of these bytes lies in such mappings, as far as that can be. */
void lazy_make_present(uintptr_t start, uint64_t size) HIDDEN;

/* The same for all that the call's arguments point to. */
void lazy_prepare_call(const struct overlay_call *call) HIDDEN;

/* All there are: mlockall. */
void lazy_fill_all(void) HIDDEN;

/* Marks in `interest` the calls that the filter wants to see while there are such mappings. */
void lazy_mark_interest(uint8_t *interest) HIDDEN;

/* lazy_threads.c: is SIGSEGV blocked in another thread still, after it was asked to unblock it? */
bool lazy_is_blocked_elsewhere(void) HIDDEN;

/* Called where the program's own action for SIGSEGV has changed. */
void lazy_action_changed(void) HIDDEN;

#endif
