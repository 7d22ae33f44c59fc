/* Calling code that may use vector registers (the engine) from the middle of a program's call. */
#ifndef OVERLAY_TRAMPOLINE_VECTOR_H
#define OVERLAY_TRAMPOLINE_VECTOR_H

/* Saves x87, SSE, AVX, AVX-512 and APX state on the stack (0.6 to 3 KiB, as much as this CPU has), gives `function`
 * the state the C ABI promises a function (x87 empty, default rounding, exceptions masked), calls it with `argument`
 * and puts everything back. Answers what the function answers. AMX tiles and protection keys are not touched: nothing
 * the engine runs changes them. A signal handler that does not return leaves nothing behind. */
__attribute__((visibility("hidden"))) long overlay_with_vector_state_saved(long (*function)(void *), void *argument);

/* Asks the CPU once what there is to save. Call it before the first overlay_with_vector_state_saved; the shim's
 * constructor is the place. */
__attribute__((visibility("hidden"))) void overlay_vector_state_init(void);

#endif
