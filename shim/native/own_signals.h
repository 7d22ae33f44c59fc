/* Signals that are ours, and what the program believes of them: trap_signals.c. */
#ifndef OVERLAY_OWN_SIGNALS_H
#define OVERLAY_OWN_SIGNALS_H

#include "filter.h"

#define SIGNAL_BIT(number) (1UL << ((number) - 1))

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* As the kernel has it. */
struct kernel_action {
    void *handler;
    uint64_t flags;
    void *restorer;
    uint64_t mask;
};

/* SIGSYS where calls are trapped, SIGSEGV once there was a mapping that is filled when it is touched. */
extern uint64_t overlay_own_signals HIDDEN;

/* Makes the signal ours; `before`: what the program had for it. */
void signals_adopt_action(int number, const struct kernel_action *before) HIDDEN;
const struct kernel_action *signals_program_action(int number) HIDDEN;

/* Takes what has become ours out of the masks of all other actions. */
void signals_clear_masks(void) HIDDEN;

/* Takes our signals out of a mask that this thread is going to have. */
void signals_take_out(uint64_t *mask) HIDDEN;

/* Gives this thread a mask back that it had before; without our signals. */
void signals_give_back(uint64_t mask) HIDDEN;

/* One of our signals that concerns the program: its handler is called, or it dies. */
void signals_deliver(int number, void *info, void *context) HIDDEN;

/* Calls a handler of the program's from within one of ours. */
void signals_call(const struct kernel_action *action, int number, void *info, void *context) HIDDEN;

void signals_die_of(int number) HIDDEN;

#endif
