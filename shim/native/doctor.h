/* What overlay-ctl doctor asks of a program: could it run under Overlay here? */
#ifndef OVERLAY_DOCTOR_H
#define OVERLAY_DOCTOR_H

#include "filter.h"
#include "patch.h"

/* Where OVERLAY_DOCTOR is set: says on standard output what was patched, and ends the process before the program begins. */
void doctor_answer(char *const *envp, const struct overlay_patch_report *report) HIDDEN;

#endif
