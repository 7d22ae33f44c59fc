#ifndef OVERLAY_EXEC_IMAGE_H
#define OVERLAY_EXEC_IMAGE_H

#include "program_look.h"

#define LOADER_NAME_SIZE 256

/* The plaintext of a program, in memory. */
struct exec_image {
    int fd;                        /* closed on exec; nobody can change the content any more */
    bool has_loader;               /* not a static program */
    int start;                     /* overlay-start (start/start.h), which the program now names as its loader, or -1 */
    char loader[LOADER_NAME_SIZE]; /* what it named before */
};

/*
 * Fills *out; 0 or -errno. The image is named for the program's real path, which is what /proc/PID/exe then shows (program_name.h).
 * searches_volumes: the environment sends the loader to a volume for libraries; the program may do so itself.
 */
long exec_image_make(const struct program_level *level, bool searches_volumes, struct exec_image *out) HIDDEN;
void exec_image_close(const struct exec_image *image) HIDDEN;

#endif
