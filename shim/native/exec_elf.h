/* A program's own words about its loader and libraries. Reads untrusted bytes: nothing is followed out of them. */
#ifndef OVERLAY_EXEC_ELF_H
#define OVERLAY_EXEC_ELF_H

#include "filter.h"

struct elf_image {
    char *bytes;
    uint64_t size;
};

/* Where the name of its loader stands, and how much room there is with the terminating zero; NULL: it has none. */
char *elf_interpreter(const struct elf_image *image, uint64_t *room) HIDDEN;

/* Does it name folders, or files by path, in which its libraries are looked for? They may lie in a volume. */
bool elf_names_places(const struct elf_image *image) HIDDEN;

#endif
