/* What the test programs share: a filter each of them steers, and checks that name their line. */
#ifndef TEST_FILTER_H
#define TEST_FILTER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So that filters, which are compiled for general registers only, can inline it. */
#pragma GCC push_options
#pragma GCC target("general-regs-only")
#include "../../../shim/native/raw_syscall.h"
#pragma GCC pop_options

#include "wanted_numbers.h"

#define GENERAL_REGISTERS __attribute__((target("general-regs-only")))

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            dprintf(2, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);      \
            _exit(1);                                                                 \
        }                                                                             \
    } while (0)

/* Installs the patches for wanted_numbers and, if it is not -1, one more. */
static inline void install(int also)
{
    struct overlay_patch_options options = { 0 };
    struct overlay_patch_report report;
    want_all(&options);
    if (also >= 0)
        options.numbers[also / 64] |= 1ul << (also % 64);
    int result = overlay_patch_install(&options, &report);
    if (result != OVERLAY_PATCH_OK) {
        dprintf(2, "install: %s\n", overlay_patch_explain(result));
        _exit(1);
    }
}

#endif
