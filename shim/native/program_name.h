/*
 * What a program that was executed from memory (exec_image.h) is called: by the kernel for the descriptor that was executed, by
 * everybody else for its file. The image carries the file's path as its name, so that the path can be told from any
 * process's /proc/PID/exe; the name it was executed by comes in a variable, which the constructor takes away again.
 */
#ifndef OVERLAY_PROGRAM_NAME_H
#define OVERLAY_PROGRAM_NAME_H

#include "filter.h"

#define PROGRAM_STARTED_AS "OVERLAY_STARTED_AS="
/* The loader that the program asks for; set where overlay-start (start/start.h) takes its place. */
#define PROGRAM_LOADER "OVERLAY_LOADER="
#define PROGRAM_NAME_UNKNOWN "program"

/* The image's name for a program's real path. */
const char *program_name_for_image(const char *path) HIDDEN;

/*
 * In the constructor: sets the process's name and AT_EXECFN as an exec of the file would have, and takes our variables away.
 * True: overlay-start was there, and the loader's text is not as it should be.
 */
bool program_name_adopt(char **envp) HIDDEN;

/* program_link.c */

/* The name of an image in the target of a link to it ("/memfd:NAME (deleted)", `length` bytes; changed), or NULL. */
char *program_link_image(char target[PATH_SIZE], long length) HIDDEN;

/* What this process was executed as: it leads to its path where that is too long for the image's name. NULL: nothing known. */
void program_link_set_own(const char *started_as) HIDDEN;

/* If (directory, path) is a /proc/PID/exe of such a program: its real path in `target`. */
bool program_looks_like_link(const char *path) HIDDEN;
bool program_name_of_link(int directory, const char *path, char target[PATH_SIZE]) HIDDEN;

#endif
