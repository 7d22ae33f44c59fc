/* lseek, truncation, allocation, fsync: calls that speak of a file's extent. */
#include <errno.h>

#include "cached_read.h"
#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "reachable.h"
#include "recent.h"
#include "sealed.h"
#include "syscalls.h"
#include "volumes.h"

int on_lseek(struct overlay_call *call)
{
    /* The kernel's offset is the logical offset: only what depends on the file's content concerns us. */
    if (call->args[2] == SEEK_SET || call->args[2] == SEEK_CUR) {
        if (call->args[2] == SEEK_SET && (int)call->args[0] == overlay_recent.fd)
            __atomic_store_n(&overlay_recent.offset, call->args[1], __ATOMIC_RELAXED);
        return fd_state_of((int)call->args[0]) == FD_RESERVED ? answer(call, -EBADF) : PASS;
    }
    ON_SEALED(call);
    /* Databases ask so for a file's size, before each step. */
    int64_t size = call->args[2] == SEEK_END && call->args[1] == 0 ? cached_size((int)call->args[0]) : -1;
    if (size >= 0)
        return answer(call, overlay_raw_syscall6(SYS_lseek, call->args[0], size, SEEK_SET, 0, 0, 0));
    return answer(call, ENGINE_CALL(lseek, call->args[0], call->args[1], call->args[2]));
}

int on_truncate(struct overlay_call *call)
{
    const char *path = (const char *)call->args[0];
    struct stat status;
    if (!can_read_path((const char *)call->args[0]))
        return PASS;
    if (volumes_hides(AT_FDCWD, path))
        return answer(call, -ENOENT);
    if (sys_fstatat(AT_FDCWD, path, &status, 0) < 0 || !S_ISREG(status.st_mode))
        return PASS;
    if ((status.st_mode & S_ISVTX) == 0 && volumes_locate(AT_FDCWD, path) == NULL)
        return PASS;
    int64_t result = 0;
    long is_ours = ENGINE_CALL(truncate, (long)path, call->args[1], (long)&result);
    return is_ours < 0 ? answer(call, is_ours) : is_ours == 0 ? PASS : answer(call, result);
}

int on_ftruncate(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(ftruncate, call->args[0], call->args[1]));
}

int on_fallocate(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(fallocate, call->args[0], call->args[1], call->args[2], call->args[3]));
}

int on_fsync(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(fsync, call->args[0], 0));
}

int on_fdatasync(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(fsync, call->args[0], 1));
}

/* Databases say it of each page that they write: what they have just written is to be on its way before they sync. */
int on_sync_file_range(struct overlay_call *call)
{
    ON_SEALED(call);
    long error = overlay_raw_syscall6(SYS_sync_file_range, call->args[0], call->args[1], call->args[2], 0, 0, 0);
    if (error < 0)
        return answer(call, error); /* no flags, so nothing was done: it is about the arguments */
    return answer(call, ENGINE_CALL(sync_range, call->args[0], call->args[1], call->args[2], call->args[3]));
}
