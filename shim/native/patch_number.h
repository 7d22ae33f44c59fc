/* Which call a `syscall` instruction makes, as far as the code before it tells. */
#ifndef OVERLAY_PATCH_NUMBER_H
#define OVERLAY_PATCH_NUMBER_H

#include "patch_function.h"

#define NUMBER_UNKNOWN (-1)

/* Follows %eax backwards within the straight-line code that ends at `syscall`. Never guesses: anything that might
 * write the register, or another way into that code, makes it NUMBER_UNKNOWN. */
int overlay_call_number(const struct function_map *map, uintptr_t syscall);

/* The same, but takes it that other ways into that code bring the same number. That is how compilers write loops around
 * a call. Good enough only for a site that cannot be patched, where the alternative is to refuse the libc. */
int overlay_call_number_presumed(const struct function_map *map, uintptr_t syscall);

#endif
