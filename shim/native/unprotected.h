#ifndef OVERLAY_UNPROTECTED_H
#define OVERLAY_UNPROTECTED_H

#include "filter.h"
#include "log.h"

/* The exit status of a program that we refuse to run unprotected; docs/errors.md. */
#define EXIT_UNPROTECTED 125

static inline void refuse_to_run(const char *subject, const char *cause, long error)
{
    log_error(subject, cause, error);
    overlay_raw_syscall6(231 /* exit_group */, EXIT_UNPROTECTED, 0, 0, 0, 0, 0);
}

#endif
