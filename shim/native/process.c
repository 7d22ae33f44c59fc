/* The life of a process: exec, exit, and what may cut it off from engine and agent. fork: see fork.c. */
#include <errno.h>
#include <linux/prctl.h>

#include "calls.h"
#include "engine_call.h"
#include "environment.h"
#include "program_check.h"
#include "syscalls.h"
#include "volumes.h"

#ifndef PR_SET_SECCOMP
#define PR_SET_SECCOMP 22
#endif

/* The settled sizes (format 8) are written when a process lets go of its files. Only the owner of the memory speaks for it. */
static void settle(void)
{
    if (engine_is_loaded() && !is_borrowed_memory())
        ENGINE_CALL(settle_all, 0);
}

static int exec_call(struct overlay_call *call, int directory, const char *path, char *const *envp, int environment_index,
                     int flags)
{
    if (is_bad_pointer((long)path) || (envp != NULL && is_bad_pointer((long)envp)))
        return PASS;
    if (volumes_hides(directory, path))
        return answer(call, -ENOENT);
    long error = program_check(directory, path, flags);
    if (error < 0)
        return answer(call, error);
    settle();
    size_t mapping_size;
    char *const *complete = environment_for_exec(envp, &mapping_size);
    if (complete == NULL)
        return answer(call, -ENOMEM);
    if (complete == envp)
        return PASS;
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = call->args[i];
    arguments[environment_index] = (long)complete;
    long result = overlay_raw_syscall6(call->number, arguments[0], arguments[1], arguments[2], arguments[3],
                                       arguments[4], arguments[5]);
    environment_release(complete, mapping_size);
    return answer(call, result);
}

int on_execve(struct overlay_call *call)
{
    return exec_call(call, AT_FDCWD, (const char *)call->args[0], (char *const *)call->args[2], 2, 0);
}

int on_execveat(struct overlay_call *call)
{
    return exec_call(call, (int)call->args[0], (const char *)call->args[1], (char *const *)call->args[3], 3,
                     (int)call->args[4]);
}

int on_exit_group(struct overlay_call *call)
{
    (void)call;
    settle();
    return PASS;
}

/* Afterwards the engine's file or the agent's socket may be out of reach: have both before. */
int on_setuid_family(struct overlay_call *call)
{
    (void)call;
    if (!is_borrowed_memory())
        ENGINE_CALL(prepare, 0);
    return PASS;
}

int on_prctl(struct overlay_call *call)
{
    return call->args[0] == PR_SET_SECCOMP ? on_setuid_family(call) : PASS;
}

/* A ring would read and write sealed files behind our back; programs fall back when the kernel has none (design D17). */
int on_io_uring_setup(struct overlay_call *call)
{
    return answer(call, -ENOSYS);
}
