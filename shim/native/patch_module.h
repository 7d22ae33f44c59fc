/* A loaded ELF module whose text is to be patched, and the functions in it. */
#ifndef OVERLAY_PATCH_MODULE_H
#define OVERLAY_PATCH_MODULE_H

#include <elf.h>
#include <stdint.h>

#define PATCH_MODULE_LIMIT 3    /* libc, libpthread (before glibc 2.34), the loader */

#define PATCH_CONSTANTS_LIMIT 8

struct address_range {
    uintptr_t start, end;
};

struct patch_module {
    const char *path;
    uintptr_t base;
    uintptr_t text, text_end;       /* the executable segment, exactly as in the file */
    uint64_t text_file_offset;
    uintptr_t frame_header;         /* .eh_frame_hdr, 0 = none */
    uint32_t is_libc, is_loader;
    uint32_t build_id_size;
    const uint8_t *build_id;        /* 0 = the module has none */
    uint32_t constants_count;
    struct address_range constants[PATCH_CONSTANTS_LIMIT];    /* segments that are not writable */
};

/* Fills `out` from program headers; answers 0 if the module has not exactly one executable segment. */
int overlay_module_describe(uintptr_t base, const Elf64_Phdr *headers, int count, struct patch_module *out);

/* Finds libc, a separate libpthread and, if asked, the loader. Answers how many; -1 if one of them has a shape
 * that overlay_module_describe does not know. */
int overlay_modules_find(int include_loader, struct patch_module out[PATCH_MODULE_LIMIT]);

/* Functions, numbered in address order, as the unwind tables list them. */
uint32_t overlay_function_count(const struct patch_module *module);
int overlay_function_at(const struct patch_module *module, uint32_t index, struct address_range *out);

/* The number of the last function that starts at or before `address`; -1 if there is none. */
int64_t overlay_function_before(const struct patch_module *module, uintptr_t address);

#endif
