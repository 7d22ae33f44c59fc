#ifndef OVERLAY_EXEC_IMAGE_H
#define OVERLAY_EXEC_IMAGE_H

#include "program_look.h"

/*
 * The plaintext of a sealed program, in memory: a descriptor that is closed on exec and whose content nobody can change any
 * more, or -errno. It is named for the program's real path, which is what /proc/PID/exe then shows (program_name.h).
 */
long exec_image(const struct program_level *level) HIDDEN;

#endif
