/* Threads, and processes that share memory. The child's frame lies on its own stack, and its first act is to be trapped as well. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>

#include "log.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

/* glibc's thread control block begins with its own address, and has it again behind the vector of thread-local storage. */
bool trap_is_libc_thread(uintptr_t pointer)
{
    const uintptr_t *block = (const uintptr_t *)pointer;
    return can_read(block, 3 * sizeof *block) && block[0] == pointer && block[2] == pointer;
}

struct request {
    uint64_t flags;
    uintptr_t stack; /* where the child's begins, at its upper end; 0: its parent's, or a copy of it */
    uintptr_t pointer;
};

static long prepare(const struct request *request, struct trap_frame *frame)
{
    frame->tail = (uintptr_t)overlay_trap_clone_tail;
    if ((request->flags & CLONE_SETTLS) != 0 && !trap_is_libc_thread(request->pointer)) {
        log_line(NULL, "a thread that libc did not make cannot run under Overlay");
        return -EPERM;
    }
    if (request->stack == 0)
        return (request->flags & CLONE_VM) != 0 ? -EINVAL : 0;
    struct trap_frame *childs = (struct trap_frame *)(request->stack - TRAP_BELOW);
    if (!can_write(childs, sizeof *childs))
        return -EFAULT;
    *childs = *frame;
    return 0;
}

static long clone_by_registers(struct overlay_call *call, struct trap_frame *frame)
{
    const struct request request = {(uint64_t)call->args[0], (uintptr_t)call->args[1], (uintptr_t)call->args[4]};
    long error = prepare(&request, frame);
    if (error == 0 && request.stack != 0)
        call->args[1] -= TRAP_BELOW;
    return error;
}

static long clone_by_structure(struct overlay_call *call, struct trap_frame *frame)
{
    struct clone_args *copy = (struct clone_args *)frame->room;
    _Static_assert(sizeof *copy <= sizeof frame->room, "room for clone3's arguments");
    size_t size = (size_t)call->args[1];
    if (size < CLONE_ARGS_SIZE_VER0)
        return 0; /* EINVAL */
    if (size > sizeof *copy)
        return -E2BIG;
    if (!can_read((const void *)call->args[0], size))
        return -EFAULT;
    text_copy((char *)copy, (const char *)call->args[0], size);
    const struct request request = {copy->flags, copy->stack == 0 ? 0 : (uintptr_t)(copy->stack + copy->stack_size), (uintptr_t)copy->tls};
    if (request.stack != 0 && copy->stack_size <= TRAP_BELOW)
        return -EINVAL;
    long error = prepare(&request, frame);
    if (error == 0 && request.stack != 0)
        copy->stack_size -= TRAP_BELOW;
    call->args[0] = (long)copy;
    return error;
}

long trap_clone(struct overlay_call *call, struct trap_frame *frame)
{
    return call->number == SYS_clone ? clone_by_registers(call, frame) : clone_by_structure(call, frame);
}
