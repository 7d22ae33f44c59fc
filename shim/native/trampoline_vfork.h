/* vfork() as fork(): a child that shares the parent's memory must not run the engine or fill the descriptor table. */
#ifndef OVERLAY_TRAMPOLINE_VFORK_H
#define OVERLAY_TRAMPOLINE_VFORK_H

#include "patch.h"

/* Any of them may be null. libc's own pthread_atfork handlers do not run for a vfork. */
struct overlay_fork_hooks {
    void (*prepare)(void);    /* in the parent, before */
    void (*parent)(void);     /* in the parent, after; also when there is no child because of an error */
    void (*child)(void);      /* in the child, before libc's code goes on in it */
};

/* For the filter, at a call with number SYS_vfork: makes the child, sets call->result, answers OVERLAY_HANDLED (in the
 * parent and in the child). As with vfork the parent's thread waits until the child has called exec or exit, and hooks
 * see no other difference than that parent() runs only then; but the child's memory is its own. */
long overlay_vfork_as_fork(struct overlay_call *call, const struct overlay_fork_hooks *hooks);

#endif
