/* One line per fault, `overlay: <file>: <cause>`, to the descriptor that OVERLAY_LOG names (default: standard error). */
#ifndef OVERLAY_LOG_H
#define OVERLAY_LOG_H

#include "filter.h"

/* Takes the value of OVERLAY_LOG: NULL or "stderr", or the path of a file to append to. */
void log_set(const char *value) HIDDEN;
void log_line(const char *subject, const char *cause) HIDDEN;
void log_error(const char *subject, const char *cause, long negative_errno) HIDDEN;

#endif
