/* Changing a module's text. */
#ifndef OVERLAY_PATCH_TEXT_H
#define OVERLAY_PATCH_TEXT_H

#include "patch_site.h"

/* Overwrites the sites of `plan` that lie in `module`. While it runs the module is writable and not executable, so
 * nothing in it may be called. On failure the module is as it was; answers 0 or -errno, -ESTALE if the code of a site is
 * not what the plan says. */
long overlay_text_patch(const struct patch_module *module, const struct patch_plan *plan);

/* Where overlay_text_patch will put stubs if the plan says so; all 0 where the text's last page is full. */
struct overlay_patch_stubs overlay_text_stubs(const struct patch_module *module);

/* Puts the module's text back to what its file holds. Ends the process if even that is refused. */
void overlay_text_restore(const struct patch_module *module);

/* Has the process forbidden itself to make memory executable (PR_SET_MDWE)? */
int overlay_text_is_fixed(void);

#endif
