#ifndef OVERLAY_PROGRAM_CHECK_H
#define OVERLAY_PROGRAM_CHECK_H

#include <sys/stat.h>

#include "filter.h"

struct program_level;

/*
 * Can LD_PRELOAD enter this program? 0: yes, or the kernel will answer the exec itself. -EACCES: no (static, 32-bit; or
 * set-user-id), and the reason was logged. `fd`: open on what will be executed.
 */
long program_check_elf(int fd, const char *path) HIDDEN;
long program_check_mode(const char *path, const struct stat *status) HIDDEN;

/* Likewise for a program that gets capabilities from its file. */
long program_check_capabilities(const struct program_level *level) HIDDEN;

/* Likewise for any program, where the process has an effective user or group that is not its real one. */
long program_check_users(const struct program_level *level) HIDDEN;

/* The loader itself, `/lib64/ld-linux-x86-64.so.2 program`: it has no interpreter, and honours LD_PRELOAD. */
bool program_is_loader(const char *path) HIDDEN;

/* -EACCES, logged, if the new program could not load the shim. */
long program_check_shim(const struct program_level *level) HIDDEN;

/* What the kernel would say to an exec by permissions and mount options, for files that it is not given: 0 or -errno. */
long program_check_access(int directory, const char *path, int flags) HIDDEN;

/* OVERLAY_ALLOW_STATIC=1: such programs run, and see ciphertext. */
void program_allow_static(bool is_allowed) HIDDEN;

#endif
