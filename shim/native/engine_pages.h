/* Memory of the engine's library that is going to be written at once. */
#ifndef OVERLAY_ENGINE_PAGES_H
#define OVERLAY_ENGINE_PAGES_H

#include "filter.h"

/* Gives it its pages with one call rather than by a fault each. `library` is dlopen's answer. */
void engine_pages_take(void *library) HIDDEN;

#endif
