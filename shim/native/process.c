/* The life of a process: exit, and what may cut it off from engine and agent. fork: see fork.c; exec: see exec.c. */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/prctl.h>
#include <sys/single_threaded.h>

#include "calls.h"
#include "engine_call.h"
#include "helper.h"
#include "reachable.h"
#include "syscalls.h"
#include "trap.h"
#include "unprotected.h"
#include "volumes.h"

#ifndef PR_SET_SECCOMP
#define PR_SET_SECCOMP 22
#endif
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/* Only the owner of the memory speaks for it. */
void process_settle(void)
{
    if (engine_is_loaded() && !is_borrowed_memory())
        ENGINE_CALL(settle_all, 0);
}

int on_exit_group(struct overlay_call *call)
{
    (void)call;
    process_settle();
    return PASS;
}

int overlay_has_filter;

/*
 * The same for what libc lets every thread do: until all have done it, it holds a lock that loading the engine takes. So that is left out where there are
 * threads, by libc's own word: the kernel may count one, since one that was asked has ended. Who needs the engine afterwards, and cannot reach it any more,
 * is told so.
 */
int on_setxid(struct overlay_call *call)
{
    return engine_is_loaded() || is_borrowed_memory() || __libc_single_threaded != 0 ? on_setuid_family(call) : on_rights(call);
}

/* Afterwards the engine's file or the agent's socket may be out of reach: have both before. */
int on_setuid_family(struct overlay_call *call)
{
    if (!is_borrowed_memory())
        ENGINE_CALL(prepare, 0);
    return on_rights(call);
}

/* What concerns a thread, or asks for a process of one. A helper would keep the rights, processors and place in the queue that its maker had. */
int on_rights(struct overlay_call *call)
{
    (void)call;
    if (!is_borrowed_memory())
        helper_end();
    return PASS;
}

/* What the engine can do without, it does no more: a call that the filter does not know may be the process's end. */
int on_seccomp(struct overlay_call *call)
{
    if (!is_borrowed_memory())
        ENGINE_CALL(prepare, 0);
    __atomic_store_n(&overlay_has_filter, 1, __ATOMIC_SEQ_CST);
    return on_rights(call);
}

int on_prctl(struct overlay_call *call)
{
    if (overlay_traps != 0 && call->args[0] == PR_SET_SYSCALL_USER_DISPATCH)
        return answer(call, -EINVAL); /* it is in use */
    switch (call->args[0]) {
    case PR_SET_SECCOMP:
        return on_seccomp(call);
    case PR_SET_NO_NEW_PRIVS: case PR_CAPBSET_DROP: case PR_CAP_AMBIENT: case PR_SET_SECUREBITS:
        return on_rights(call);
    default:
        return PASS;
    }
}

/* A thread pointer that is not libc's: filter and engine keep what belongs to the thread behind it. Go without cgo does this, first of all. */
int on_arch_prctl(struct overlay_call *call)
{
    if (call->args[0] == ARCH_SET_FS && !trap_is_libc_thread((uintptr_t)call->args[1]))
        refuse_to_run(NULL, "a program whose threads are not libc's (a Go program without cgo is one) cannot run under Overlay", -EACCES);
    return PASS;
}

/* A ring would read and write sealed files behind our back; programs fall back when the kernel has none (design D17). */
int on_io_uring_setup(struct overlay_call *call)
{
    return answer(call, -ENOSYS);
}

/* A file system may come to lie below a volume. */
int on_mount(struct overlay_call *call)
{
    (void)call;
    volumes_forget_devices();
    return PASS;
}

/* Swapping and process accounting: the kernel itself would write into the file. */
int on_kernel_file(struct overlay_call *call)
{
    const char *path = (const char *)call->args[0];
    struct stat status;
    if (!can_read_path(path) || sys_fstatat(AT_FDCWD, path, &status, 0) < 0 || !S_ISREG(status.st_mode))
        return PASS;
    bool is_ours = (status.st_mode & S_ISVTX) != 0 && volumes_on_device(status.st_dev);
    return is_ours || volumes_locate(AT_FDCWD, path) != NULL ? answer(call, -EINVAL) : PASS;
}
