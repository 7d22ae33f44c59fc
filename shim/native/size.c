/* lseek, truncation, allocation, fsync, ioctl: calls that speak of a file's extent. */
#include <errno.h>
#include <linux/fs.h>
#include <linux/loop.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "reachable.h"
#include "syscalls.h"
#include "volumes.h"

#ifndef FICLONE
#define FICLONE _IOW(0x94, 9, int)
#endif
#define FICLONERANGE_NUMBER 0x4020940dUL
#define FIDEDUPERANGE_NUMBER 0xc0189436UL
#define FIEMAP_NUMBER 0xc020660bUL
#define FIONREAD_NUMBER 0x541bUL

/* FD_SEALED, or the verdict that the caller returns, in *verdict. */
static bool is_sealed(struct overlay_call *call, int fd, int *verdict)
{
    long state = fd_classify(fd);
    *verdict = state < 0 ? answer(call, state) : state == FD_RESERVED ? answer(call, -EBADF) : PASS;
    return state == FD_SEALED;
}

#define ON_SEALED(call)                                                                                                \
    do {                                                                                                               \
        int verdict;                                                                                                   \
        if (!is_sealed(call, (int)(call)->args[0], &verdict))                                                          \
            return verdict;                                                                                            \
    } while (0)

int on_lseek(struct overlay_call *call)
{
    /* The kernel's offset is the logical offset: only what depends on the file's content concerns us. */
    if (call->args[2] == SEEK_SET || call->args[2] == SEEK_CUR) {
        return fd_state_of((int)call->args[0]) == FD_RESERVED ? answer(call, -EBADF) : PASS;
    }
    ON_SEALED(call);
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

/* A hint about a logical range, which lies elsewhere on disk: the whole file instead. */
int on_sync_file_range(struct overlay_call *call)
{
    ON_SEALED(call);
    long error = overlay_raw_syscall6(SYS_sync_file_range, call->args[0], call->args[1], call->args[2], 0, 0, 0);
    if (error < 0)
        return answer(call, error); /* no flags, so nothing was done: it is about the arguments */
    return answer(call, overlay_raw_syscall6(SYS_sync_file_range, call->args[0], 0, 0, call->args[3], 0, 0));
}

static int bytes_to_read(struct overlay_call *call)
{
    int fd = (int)call->args[0];
    long here = overlay_raw_syscall6(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
    struct stat status;
    if (here < 0 || sys_fstat(fd, &status) < 0)
        return PASS;
    long error = overlay_raw_syscall6(SYS_ioctl, fd, FIONREAD_NUMBER, call->args[2], 0, 0, 0);
    if (error < 0)
        return answer(call, error); /* EFAULT among others */
    long size = ENGINE_CALL(size, fd, 0, 0, 0, (long)status.st_dev, (long)status.st_ino);
    if (size < 0)
        return answer(call, size);
    *(int *)call->args[2] = (int)(size - here); /* behind the end less than nothing, as the kernel has it */
    return answer(call, 0);
}

int on_ioctl(struct overlay_call *call)
{
    switch ((unsigned long)call->args[1]) {
    case FICLONE:
    case FICLONERANGE_NUMBER:
    case FIDEDUPERANGE_NUMBER: {
        /* Sharing extents would put one file's ciphertext behind another's key. The source is named in the argument. */
        int verdict;
        int source = call->args[1] == (long)FICLONE ? (int)call->args[2]
                     : call->args[1] == (long)FICLONERANGE_NUMBER && can_read((const int *)call->args[2], sizeof(int))
                         ? *(const int *)call->args[2]
                         : -1;
        if (is_sealed(call, (int)call->args[0], &verdict) || (source >= 0 && is_sealed(call, source, &verdict)))
            return answer(call, -EOPNOTSUPP);
        return verdict;
    }
    case FIEMAP_NUMBER: {
        ON_SEALED(call); /* physical places mean nothing to the program: it falls back to SEEK_DATA */
        return answer(call, -EOPNOTSUPP);
    }
    /* The kernel would write a block device's bytes into the file. */
    case LOOP_SET_FD:
    case LOOP_CHANGE_FD:
    case LOOP_CONFIGURE: {
        int verdict, backing = call->args[1] != LOOP_CONFIGURE ? (int)call->args[2]
                               : can_read((const int *)call->args[2], sizeof(int)) ? *(const int *)call->args[2] : -1;
        if (backing < 0)
            return PASS;
        return is_sealed(call, backing, &verdict) ? answer(call, -EINVAL) : verdict;
    }
    case FIONREAD_NUMBER: {
        if (fd_state_of((int)call->args[0]) == FD_FOREIGN)
            return PASS;
        ON_SEALED(call);
        return bytes_to_read(call);
    }
    default:
        return PASS;
    }
}
