/*
 * What a program that was executed from memory (exec_image.h) is called: by the kernel for the descriptor that was executed, by
 * everybody else for its file. The image carries the file's path as its name, so that the path can be told from any
 * process's /proc/PID/exe; the name it was executed by comes in OVERLAY_STARTED_AS.
 */
#ifndef OVERLAY_PROGRAM_NAME_H
#define OVERLAY_PROGRAM_NAME_H

#include "filter.h"

#define PROGRAM_STARTED_AS "OVERLAY_STARTED_AS="
#define PROGRAM_NAME_UNKNOWN "program"

/* The image's name for a program's real path. */
const char *program_name_for_image(const char *path) HIDDEN;

/* In the constructor: sets the process's name and AT_EXECFN as an exec of the file would have, and takes our variable away. */
void program_name_adopt(char **envp) HIDDEN;

/* If (directory, path) is a /proc/PID/exe of such a program: its real path in `target`. */
bool program_name_of_link(int directory, const char *path, char target[PATH_SIZE]) HIDDEN;

#endif
