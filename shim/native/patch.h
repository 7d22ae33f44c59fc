/*
 * Patches the system-call sites of libc (design D2). Three kinds of site can be patched:
 *
 *   MOV   mov $number,%eax; syscall       the mov becomes a jump; the original `syscall` is still what the kernel sees
 *   TAIL  syscall; cmp $imm32,%rax|%eax   syscall and cmp become a jump; the stub has both
 *   HEAD  instruction; syscall            a known instruction that needs no relocation, and the syscall, become a jump
 */
#ifndef OVERLAY_PATCH_H
#define OVERLAY_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum patch_kind { PATCH_MOV = 'M', PATCH_TAIL = 'T', PATCH_HEAD = 'H', PATCH_NONE = 'N' };

struct patch_site {
    uint8_t *syscall; /* the instruction */
    uint8_t *start;   /* first byte that the jump replaces */
    uint8_t length;   /* bytes that belong to the replaced instructions, at least 5 */
    uint8_t kind;
    int number; /* -1: not known here */
};

struct patch_report {
    unsigned found, patched, not_of_interest, unpatchable;
};

/* Patches every loaded libc and libpthread for the calls marked in `interest`. 0 or -errno; see the report for what is left. */
long patch_install(const uint8_t *interest, unsigned interest_size, struct patch_report *report)
    __attribute__((visibility("hidden")));

/* The next site at or after *cursor in [*cursor, end), or false. */
bool patch_next_site(const uint8_t **cursor, const uint8_t *begin, const uint8_t *end, struct patch_site *site)
    __attribute__((visibility("hidden")));

/* Writes the stub for a site at `stub` (at most PATCH_STUB_SIZE bytes); false if the distances do not fit. */
#define PATCH_STUB_SIZE 48
bool patch_write_stub(const struct patch_site *site, uint8_t *stub) __attribute__((visibility("hidden")));

/* Replaces the site by a jump to the stub. */
void patch_write_jump(const struct patch_site *site, const uint8_t *stub) __attribute__((visibility("hidden")));

#endif
