/* Programs that see a volume as it lies on disk, by its policy (docs/policy.md): what they read passes, and they write nothing. */
#ifndef OVERLAY_VIEW_H
#define OVERLAY_VIEW_H

#include "volumes.h"

/* Does this process see ciphertext there? Asked once, and then the same until it ends. */
bool view_is_raw(struct volume *volume) HIDDEN;

/* The same for a sealed file: behind fd >= 0, or at (directory, path). */
bool view_of_file_is_raw(int fd, int directory, const char *path) HIDDEN;

/* Asks of all volumes, before a chroot: afterwards the marks cannot be found. */
void view_ask_all(void) HIDDEN;

#endif
