/* What is behind a name that is to be executed: an ELF file, a script and its interpreter, or something for the kernel to answer. */
#ifndef OVERLAY_PROGRAM_LOOK_H
#define OVERLAY_PROGRAM_LOOK_H

#include "filter.h"

#define PROGRAM_START_SIZE 256 /* what the kernel looks at (BINPRM_BUF_SIZE) */
#define PROGRAM_LEVEL_LIMIT 6  /* a program and the interpreters of interpreters; one more is ELOOP, as in the kernel */

enum program_kind {
    PROGRAM_UNKNOWN, /* missing, no regular file, unreadable, or in no format that we know */
    PROGRAM_ELF,
    PROGRAM_SCRIPT,
};

struct program_level {
    int directory, flags;
    const char *path;
    enum program_kind kind;
    bool is_sealed;
    const char *interpreter, *argument; /* of a script, inside of `start`; argument may be NULL */
    char start[PROGRAM_START_SIZE + 1];
};

/* From the program that exec is given to the one that runs in the end. */
struct program_chain {
    struct program_level levels[PROGRAM_LEVEL_LIMIT];
    int count;
    int last_sealed; /* -1: none; then the kernel can do it all */
};

/*
 * Follows the chain. Answers 0; -EACCES where LD_PRELOAD could not enter the program (static, 32-bit, set-user-id: logged), which is
 * not asked of sealed ELF files yet; or why a sealed file cannot be read.
 */
long program_follow(int directory, const char *path, int flags, struct program_chain *chain) HIDDEN;

#endif
