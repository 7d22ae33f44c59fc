/* The limit of file sizes, which the engine looks up again when the program has changed it. */
#include "limits.h"

#include <sys/resource.h>

#include "calls.h"
#include "syscalls.h"

int overlay_limit_changes;

/* Made here and counted afterwards: who looks in between looks again. */
static int change(struct overlay_call *call)
{
    long result = overlay_raw_syscall6(call->number, call->args[0], call->args[1], call->args[2], call->args[3], 0, 0);
    __atomic_add_fetch(&overlay_limit_changes, 1, __ATOMIC_RELEASE);
    return answer(call, result);
}

int on_setrlimit(struct overlay_call *call)
{
    return (int)call->args[0] == RLIMIT_FSIZE ? change(call) : PASS;
}

int on_prlimit64(struct overlay_call *call)
{
    return (int)call->args[1] == RLIMIT_FSIZE && call->args[2] != 0 ? change(call) : PASS;
}
