/* What of our environment a new program needs, and how it is put back where a program cleared it (design 5). */
#ifndef OVERLAY_ENVIRONMENT_H
#define OVERLAY_ENVIRONMENT_H

#include "filter.h"

/*
 * Copies what of this process's own `envp` is ours, for its life: a program may write its title over the original. Returns the copy,
 * or NULL: out of memory.
 */
char *const *environment_remember(char *const *envp, const char *shim_path) HIDDEN;

/* Values of the variables of program_name.h and kept.h; NULL: no such entry. */
struct environment_additions {
    const char *started_as, *loader, *kept;
};

/* `envp` if it carries everything, else a copy with what is missing, in `room`. NULL: out of memory. */
struct exec_room;
char *const *environment_for_exec(char *const *envp, const struct environment_additions *additions, struct exec_room *room) HIDDEN;

/* May a new program of this process's user and root load the shim? If not, the loader runs it without: unprotected. */
bool environment_shim_is_reachable(void) HIDDEN;

/* Do LD_LIBRARY_PATH, LD_PRELOAD or LD_AUDIT lead the loader into a volume? */
bool environment_searches_volumes(char *const *envp) HIDDEN;

const char *environment_value(char *const *envp, const char *name) HIDDEN;

#endif
