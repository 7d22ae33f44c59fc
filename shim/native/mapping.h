/* Which addresses hold shared mappings of sealed files, as far as the filter must know. */
#ifndef OVERLAY_MAPPING_H
#define OVERLAY_MAPPING_H

#include "filter.h"

/* The engine says where: starts and ends, merged and in order. One call at a time. */
void mappings_note(const int64_t *pairs, int count) HIDDEN;

#endif
