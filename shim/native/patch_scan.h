/* Finds byte patterns in a module's text at memory speed. The only file of the patcher that uses vector registers
 * (it runs before the program has any state in them). */
#ifndef OVERLAY_PATCH_SCAN_H
#define OVERLAY_PATCH_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* The next 0f 05 at or after `from`; `end` if there is none. */
uintptr_t overlay_scan_syscall(uintptr_t from, uintptr_t end);

/* The next `call rel32` or `jmp rel32` (e8, e9) at or after `from` that leads to `target`; `end` if there is none. */
uintptr_t overlay_scan_call(uintptr_t from, uintptr_t end, uintptr_t target);

#endif
