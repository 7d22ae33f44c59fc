/*
 * ioctl. Requests about a file's blocks speak of ciphertext here: what can be said of the plaintext is answered, and what would change stored
 * bytes behind the engine's back is refused as by a file system that does not know it.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/loop.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "reachable.h"
#include "sealed.h"
#include "syscalls.h"

#ifndef FICLONE
#define FICLONE _IOW(0x94, 9, int)
#endif
#define FICLONERANGE_NUMBER 0x4020940dU
#define FIDEDUPERANGE_NUMBER 0xc0189436U
#define FIEMAP_NUMBER 0xc020660bU
#define FIONREAD_NUMBER 0x541bU

/* XFS's ways to say fallocate, which the kernel knows for every file system. */
struct space_range {
    int16_t type, whence;
    int64_t start, length;
    int32_t system, process, unused[4];
};
#define RESERVE _IOW('X', 40, struct space_range)
#define RESERVE_64 _IOW('X', 42, struct space_range)
#define UNRESERVE _IOW('X', 41, struct space_range)
#define UNRESERVE_64 _IOW('X', 43, struct space_range)
#define ZERO _IOW('X', 57, struct space_range)

/* Exchanges of blocks, which name the other file in their argument: ext4's, XFS's two, f2fs's. */
#define MOVE_EXTENT 0xc028660fU
#define SWAP_EXTENTS 0xc0c0586dU
#define EXCHANGE_RANGE 0x40285881U
#define MOVE_RANGE 0xc020f509U

static unsigned request_of(const struct overlay_call *call)
{
    return (unsigned)call->args[1]; /* the kernel looks at no more; a program may have sign-extended it */
}

/* A descriptor in the argument, after so many words. */
static int named_descriptor(const struct overlay_call *call, size_t words)
{
    const int *argument = (const int *)call->args[2];
    return can_read(argument, (words + 1) * sizeof(int)) ? argument[words] : -1;
}

static int refuse_if_sealed(struct overlay_call *call, int fd, long error)
{
    int verdict;
    return is_sealed(call, fd, &verdict) ? answer(call, error) : verdict;
}

/* The call's own descriptor, or another that it names (-1: none that can be read). */
static int refuse_if_either(struct overlay_call *call, int other, long error)
{
    int verdict = refuse_if_sealed(call, (int)call->args[0], error);
    return verdict != PASS || other < 0 ? verdict : refuse_if_sealed(call, other, error);
}

static long logical_size(int fd)
{
    struct stat status;
    long error = sys_fstat(fd, &status);
    return error < 0 ? error : ENGINE_CALL(size, fd, 0, 0, 0, (long)status.st_dev, (long)status.st_ino);
}

static int bytes_to_read(struct overlay_call *call)
{
    int fd = (int)call->args[0];
    long here = overlay_raw_syscall6(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
    if (here < 0)
        return PASS;
    long error = overlay_raw_syscall6(SYS_ioctl, fd, FIONREAD_NUMBER, call->args[2], 0, 0, 0);
    if (error < 0)
        return answer(call, error); /* EFAULT among others */
    long size = logical_size(fd);
    if (size < 0)
        return answer(call, size);
    *(int *)call->args[2] = (int)(size - here); /* behind the end less than nothing, as the kernel has it */
    return answer(call, 0);
}

static int allocate(struct overlay_call *call, int mode)
{
    int fd = (int)call->args[0];
    if (!can_read((const void *)call->args[2], sizeof(struct space_range)))
        return answer(call, -EFAULT);
    struct space_range range = *(const struct space_range *)call->args[2];
    long base = range.whence == SEEK_SET   ? 0
                : range.whence == SEEK_CUR ? overlay_raw_syscall6(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0)
                : range.whence == SEEK_END ? logical_size(fd)
                                           : -EINVAL;
    if (base < 0)
        return answer(call, base);
    return answer(call, ENGINE_CALL(fallocate, fd, mode | FALLOC_FL_KEEP_SIZE,
                                    (long)((uint64_t)base + (uint64_t)range.start), range.length));
}

/* Requests of file systems to one file: XFS's and the common ones of its origin, ext4's, btrfs's, f2fs's. */
static bool is_of_file_system(unsigned request)
{
    unsigned family = _IOC_TYPE(request);
    return family == 'X' || family == 'f' || family == 0x94 || family == 0xf5;
}

/* Those of them that say nothing of blocks: flags, project numbers, the whole file system's label, freezing and trimming. */
static bool is_harmless(unsigned request)
{
    switch (request) {
    case FS_IOC_GETFLAGS:
    case FS_IOC_SETFLAGS:
    case FS_IOC32_GETFLAGS:
    case FS_IOC32_SETFLAGS:
    case FS_IOC_FSGETXATTR:
    case FS_IOC_FSSETXATTR:
    case FIFREEZE:
    case FITHAW:
    case FITRIM:
    case FS_IOC_GETFSLABEL:
    case FS_IOC_SETFSLABEL:
        return true;
    default:
        return false;
    }
}

int on_ioctl(struct overlay_call *call)
{
    unsigned request = request_of(call);
    switch (request) {
    /* Sharing or exchanging extents would put one file's ciphertext behind another's key, or plaintext behind a sealed file's name. */
    case FICLONE:
        return refuse_if_either(call, (int)call->args[2], -EOPNOTSUPP);
    case FICLONERANGE_NUMBER:
    case FIDEDUPERANGE_NUMBER:
    case EXCHANGE_RANGE:
    case MOVE_RANGE:
        return refuse_if_either(call, named_descriptor(call, 0), -EOPNOTSUPP);
    case MOVE_EXTENT:
        return refuse_if_either(call, named_descriptor(call, 1), -EOPNOTSUPP);
    case SWAP_EXTENTS: {
        int verdict = refuse_if_either(call, named_descriptor(call, 2), -EOPNOTSUPP);
        return verdict == PASS ? refuse_if_either(call, named_descriptor(call, 4), -EOPNOTSUPP) : verdict;
    }
    case FIEMAP_NUMBER: /* physical places mean nothing to the program: it falls back to SEEK_DATA */
        return refuse_if_sealed(call, (int)call->args[0], -EOPNOTSUPP);
    /* The kernel would write a block device's bytes into the file. */
    case LOOP_SET_FD:
    case LOOP_CHANGE_FD:
        return refuse_if_sealed(call, (int)call->args[2], -EINVAL);
    case LOOP_CONFIGURE: {
        int backing = named_descriptor(call, 0);
        return backing < 0 ? PASS : refuse_if_sealed(call, backing, -EINVAL);
    }
    case FIONREAD_NUMBER:
        if (fd_state_of((int)call->args[0]) == FD_FOREIGN)
            return PASS;
        ON_SEALED(call);
        return bytes_to_read(call);
    case RESERVE:
    case RESERVE_64:
        ON_SEALED(call);
        return allocate(call, 0);
    case UNRESERVE:
    case UNRESERVE_64:
        ON_SEALED(call);
        return allocate(call, FALLOC_FL_PUNCH_HOLE);
    case ZERO:
        ON_SEALED(call);
        return allocate(call, FALLOC_FL_ZERO_RANGE);
    default:
        return is_of_file_system(request) && !is_harmless(request) ? refuse_if_sealed(call, (int)call->args[0], -ENOTTY) : PASS;
    }
}
