/* Does a module make system calls by itself that the filter would have to see? Looks at its text; changes nothing. */
#ifndef OVERLAY_RAW_SCAN_H
#define OVERLAY_RAW_SCAN_H

#include "filter.h"
#include "patch_function.h"

enum raw_verdict {
    RAW_NONE,     /* no `syscall`, or only such as are known to make calls that do not matter */
    RAW_DOUBTFUL, /* the bytes of one, outside of all described functions, and nothing before them that looks like a call's number: data, most likely */
    RAW_CALLS,
};

/* Laid out as the loader does it; `headers` are its program headers. Uses vector registers. */
enum raw_verdict raw_scan(uintptr_t base, const Elf64_Phdr *headers, int count, struct function_scratch *scratch) HIDDEN;

#endif
