/* How often the program has changed its limit of file sizes (RLIMIT_FSIZE). */
#ifndef OVERLAY_LIMITS_H
#define OVERLAY_LIMITS_H

#include "filter.h"

extern int overlay_limit_changes HIDDEN;

#endif
