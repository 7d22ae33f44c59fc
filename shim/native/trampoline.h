/* The assembly between a slot and the filter. */
#ifndef OVERLAY_TRAMPOLINE_H
#define OVERLAY_TRAMPOLINE_H

/* Called from slots only; not with C's calling convention. */
__attribute__((visibility("hidden"))) void overlay_trampoline_enter(void);
__attribute__((visibility("hidden"))) void overlay_trampoline_enter_cancellable(void);

#endif
