/* The pages of a module's text that are going to be changed. */
#ifndef OVERLAY_PATCH_PAGES_H
#define OVERLAY_PATCH_PAGES_H

#include "patch_site.h"

/* Makes the process's own copies of them, neighbours with one call. The text is writable, and not executable: this calls nothing. */
void overlay_pages_take(const struct patch_module *module, const struct patch_plan *plan);

#endif
