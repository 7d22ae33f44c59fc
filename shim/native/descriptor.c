/* close, dup, fcntl: the life of descriptor numbers. */
#include <errno.h>
#include <linux/close_range.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "helper.h"
#include "kept.h"
#include "reachable.h"
#include "syscalls.h"

int on_close(struct overlay_call *call)
{
    int fd = (int)call->args[0];
    enum fd_state state = fd_state_of(fd);
    if (state == FD_RESERVED)
        return answer(call, -EBADF);
    if (state == FD_UNKNOWN && !engine_is_loaded())
        return PASS;
    fd_release(fd);
    long result = sys_close(fd);
    /* Another thread may have looked the old file up in between, or opened a new one: not known is always right. */
    fd_lose(fd);
    return answer(call, result);
}

static long close_run(unsigned first, unsigned last, unsigned flags)
{
    return first > last ? 0 : overlay_raw_syscall6(SYS_close_range, first, last, flags, 0, 0, 0);
}

int on_close_range(struct overlay_call *call)
{
    unsigned first = (unsigned)call->args[0], last = (unsigned)call->args[1], flags = (unsigned)call->args[2];
    /* It would keep them open, and the process's locks with them: those belong to the table, which becomes another if two have it. */
    if ((flags & CLOSE_RANGE_UNSHARE) != 0 && !is_borrowed_memory())
        helper_end();
    if ((flags & CLOSE_RANGE_CLOEXEC) != 0 || first > last)
        return PASS; /* the engine's own are close-on-exec already */
    unsigned run = first;
    long result = 0;
    for (unsigned fd = first; fd <= last && fd < FD_LIMIT; fd++) {
        enum fd_state state = fd_state_of((int)fd);
        if (state == FD_RESERVED) {
            if ((result = close_run(run, fd - 1, flags)) < 0)
                return answer(call, result);
            run = fd + 1;
        } else if (state != FD_UNKNOWN) {
            fd_release((int)fd);
        }
    }
    return answer(call, close_run(run, last, flags));
}

int on_dup(struct overlay_call *call)
{
    if (fd_state_of((int)call->args[0]) == FD_RESERVED)
        return answer(call, -EBADF);
    long result = overlay_raw_syscall6(SYS_dup, call->args[0], 0, 0, 0, 0, 0);
    if (result >= 0)
        fd_lose((int)result);
    return answer(call, result);
}

static int replace(struct overlay_call *call, int flags, bool is_dup3)
{
    int from = (int)call->args[0], to = (int)call->args[1];
    if ((flags & ~O_CLOEXEC) != 0)
        return PASS; /* EINVAL, before anything else is looked at */
    if (fd_state_of(from) == FD_RESERVED || fd_state_of(to) == FD_RESERVED)
        return answer(call, -EBADF);
    if (from == to)
        return PASS;
    /* Look before releasing: a failing dup2 leaves `to` as it was. */
    long alive = sys_fcntl(from, F_GETFD, 0);
    if (alive < 0)
        return answer(call, alive);
    fd_release(to);
    long result = is_dup3 ? overlay_raw_syscall6(SYS_dup3, from, to, flags, 0, 0, 0)
                          : overlay_raw_syscall6(SYS_dup2, from, to, 0, 0, 0, 0);
    fd_lose(to);
    return answer(call, result);
}

int on_dup2(struct overlay_call *call) { return replace(call, 0, false); }

int on_dup3(struct overlay_call *call) { return replace(call, (int)call->args[2], true); }

/* A lock counted from the end of the file means the logical end. */
static int set_lock(struct overlay_call *call)
{
    int fd = (int)call->args[0];
    const struct flock *asked = (const struct flock *)call->args[2];
    bool is_question = (int)call->args[1] == F_GETLK || (int)call->args[1] == F_OFD_GETLK;
    if (!can_read(asked, sizeof *asked) || asked->l_whence != SEEK_END || (is_question && !can_write((void *)call->args[2], sizeof *asked)))
        return PASS;
    struct flock lock = *asked;
    struct stat status;
    long end = sys_fstat(fd, &status);
    if (end == 0)
        end = ENGINE_CALL(size, fd, 0, 0, 0, (long)status.st_dev, (long)status.st_ino);
    if (end < 0)
        return answer(call, end);
    lock.l_start += end;
    lock.l_whence = SEEK_SET;
    long result = sys_fcntl(fd, (int)call->args[1], (long)&lock);
    if (result >= 0 && is_question) {
        /* Where nothing is in the way the kernel changes the type alone: the program may set the lock by the same structure. */
        if (lock.l_type == F_UNLCK)
            ((struct flock *)call->args[2])->l_type = F_UNLCK;
        else
            *(struct flock *)call->args[2] = lock;
    }
    return answer(call, result);
}

int on_fcntl(struct overlay_call *call)
{
    int fd = (int)call->args[0];
    if (fd_state_of(fd) == FD_RESERVED)
        return answer(call, -EBADF);
    switch ((int)call->args[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
        long result = sys_fcntl(fd, (int)call->args[1], call->args[2]);
        if (result >= 0)
            fd_lose((int)result);
        return answer(call, result);
    }
    case F_SETFL: {
        if (fd_classify(fd) != FD_SEALED)
            return PASS;
        /* First: an engine that writes through this description would append, or be refused what is not aligned. */
        ENGINE_CALL(flags_changed, fd, (int)call->args[2]);
        long result = sys_fcntl(fd, F_SETFL, call->args[2]);
        ENGINE_CALL(flags_changed, fd, 0);
        return answer(call, result);
    }
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: {
        /* The engine must know every descriptor on which locks may hang: it never closes one of that inode then. */
        long state = fd_classify(fd);
        if (state < 0)
            return answer(call, state);
        if (state != FD_SEALED)
            return PASS;
        if (call->args[1] == F_SETLK || call->args[1] == F_SETLKW)
            kept_note_lock();
        return set_lock(call);
    }
    default:
        return PASS;
    }
}
