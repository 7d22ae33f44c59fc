/*
 * overlay-start: what the kernel takes for the loader of a program some of whose libraries may lie in a volume. The loader maps a
 * program's libraries before any of their code runs, the shim's included, so its system calls must be ours before it starts:
 * this maps it, patches it, and jumps into it. Of a sealed file that the loader opens it gets the plaintext, in memory, made by
 * a helper process (overlay-copy) that runs under the shim. The shim's constructor ends it: it puts the loader's text back.
 *
 * Nothing else is there yet: no libc, no relocation but our own, no thread-local storage.
 */
#ifndef OVERLAY_START_H
#define OVERLAY_START_H

#include <elf.h>

#include "../filter.h"

/* What this program was given, from the kernel's stack. */
struct start {
    char **environment;
    Elf64_auxv_t *auxiliary;
    const char *loader;     /* PROGRAM_LOADER's value */
    const char *started_as; /* PROGRAM_STARTED_AS's value */
};
extern struct start overlay_start HIDDEN;

struct mapped_loader {
    uintptr_t base, entry;
    const Elf64_Phdr *headers;
    int header_count;
};

/* Maps the loader as the kernel would. 0 or -errno. */
long start_map_loader(const char *path, struct mapped_loader *out) HIDDEN;

/* Routes the loader's calls through overlay_filter. A loader that cannot be patched refuses sealed libraries by itself. */
void start_patch_loader(const struct mapped_loader *loader) HIDDEN;

/* A memory file with the plaintext of the sealed file behind fd, or -errno. */
long start_copy(int fd, const char *path) HIDDEN;

/* In an environment: the value of the entry that begins with "NAME=", or NULL. */
const char *start_value(const char *name_and_sign) HIDDEN;

#endif
