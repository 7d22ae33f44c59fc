#define _GNU_SOURCE
#include "trampoline_vfork.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "raw_syscall.h"

/* CLONE_VFORK without CLONE_VM: suspended like vfork's parent, copied like fork's child. libc's idea of the thread id
 * is left as it is in the child, as vfork leaves it. The child returns on its own copy of this stack. */
long overlay_vfork_as_fork(struct overlay_call *call, const struct overlay_fork_hooks *hooks)
{
    if (hooks->prepare)
        hooks->prepare();
    long child = overlay_raw_syscall6(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0, 0);
    void (*after)(void) = child == 0 ? hooks->child : hooks->parent;
    if (after)
        after();
    call->result = child;
    return OVERLAY_HANDLED;
}
