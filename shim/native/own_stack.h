/*
 * A stack of our own for each thread. The program's may be small: a thread's 16 KiB, a signal stack's 8, most of it in use. The engine
 * needs some 64, and each path that is put together here takes 4.
 */
#ifndef OVERLAY_OWN_STACK_H
#define OVERLAY_OWN_STACK_H

#include "filter.h"

typedef long (*own_stack_function)(const long *arguments);

/*
 * Calls function(arguments) on this thread's own stack, with all signals blocked: a handler of the program's never runs there. What may
 * wait for another program is not called so. Where no memory is to be had, the stack is the one that there is.
 */
long own_stack_run(own_stack_function function, const long *arguments) HIDDEN;

#define ON_OWN_STACK(function, ...) own_stack_run((function), (const long[]){__VA_ARGS__})

/*
 * On a stack made for this one call, with the signals as they are: for what must not block them, such as exec, which leaves them to the new
 * program as it finds them.
 */
long own_stack_run_apart(own_stack_function function, const long *arguments) HIDDEN;

/* Another one of this thread's, for a trapped call (trap.h), by its upper end. 0: there is none, or `stack` lies on one of ours. */
uintptr_t own_stack_for_trap(uintptr_t stack) HIDDEN;

/* At the end of a thread that used the engine: another one may have its stack. The stacks of others are found when one is needed. */
void own_stack_give_back(void) HIDDEN;

/* Is that thread on its stack of ours? */
bool own_stack_is_in_use(int thread) HIDDEN;

/* In a forked child, which has one thread. */
void own_stacks_in_child(void) HIDDEN;

#endif
