/* stat and its kin: the logical size by arithmetic, the sticky bit hidden (design D7, D8). chmod: the sticky bit kept. */
#include <errno.h>
#include <linux/stat.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "reachable.h"
#include "settled_size.h"
#include "syscalls.h"
#include "text.h"
#include "view.h"
#include "volumes.h"

/* Where an unsettled file can be asked: fd >= 0, or (directory, path, flags). */
struct target {
    int fd, directory, flags;
    const char *path;
};

/* The mark tells; where it was taken away from outside, what we know of an open descriptor does. */
static bool looks_sealed(int fd, uint32_t mode, uint64_t device)
{
    bool is_marked = (mode & S_ISVTX) != 0 || (fd >= 0 && fd_state_of(fd) == FD_SEALED);
    return S_ISREG(mode) && is_marked && volumes_on_device(device);
}

/* Sealed, and not seen as it lies on disk. */
static bool is_to_be_corrected(const struct target *target, uint32_t mode, uint64_t device)
{
    return looks_sealed(target->fd, mode, device) && !view_of_file_is_raw(target->fd, target->directory, target->path);
}

static long logical_size(const struct target *target, int64_t stored, uint64_t device, uint64_t inode)
{
    int64_t size = settled_size(stored, stored > OVERLAY_PAGE_SIZE ? volumes_block_size() : 0);
    if (size < 0)
        size = ENGINE_CALL(size, target->fd, target->directory, (long)target->path, target->flags, (long)device,
                           (long)inode);
    return size;
}

/*
 * A small file that shrinks to a page would look as though it had holes, and cp and its kin look for them, with a buffer of their own, in each one. So it
 * counts as what it would take plain.
 */
static int64_t shown_blocks(int64_t blocks, int64_t size)
{
    const int64_t page = OVERLAY_PAGE_SIZE / 512;
    bool is_small = blocks == page && size > OVERLAY_PAGE_SIZE && size <= volumes_block_size();
    return is_small ? (size + OVERLAY_PAGE_SIZE - 1) / OVERLAY_PAGE_SIZE * page : blocks;
}

static long correct_stat(const struct target *target, struct stat *status)
{
    if (is_to_be_corrected(target, status->st_mode, status->st_dev)) {
        long size = logical_size(target, status->st_size, status->st_dev, status->st_ino);
        if (size < 0)
            return size;
        status->st_size = size;
        status->st_blocks = shown_blocks(status->st_blocks, size);
        status->st_mode &= ~(unsigned)S_ISVTX;
    } else if (S_ISDIR(status->st_mode) && volumes_is_root(status->st_dev, status->st_ino)) {
        status->st_nlink--; /* the kernel counts .overlay */
    }
    return 0;
}

enum { GO_ON = HANDLED + 1 };

static inline int refuse(struct overlay_call *call, const struct target *target)
{
    if (target->path == NULL)
        return fd_state_of(target->fd) == FD_RESERVED ? answer(call, -EBADF) : GO_ON;
    enum path_look look = path_look(target->path);
    if (look == PATH_UNREADABLE)
        return PASS;
    return look != PATH_PLAIN && volumes_hides(target->directory, target->path) ? answer(call, -ENOENT) : GO_ON;
}

/*
 * The answer tells what fd_classify would ask for before the first read. Not of directories, nor where the engine may have the number; nor of an empty
 * file, which another process may be about to give its header.
 */
static inline void note_foreign(int fd, uint32_t seen, uint32_t mode, uint64_t size)
{
    bool may_be_sealed = S_ISREG(mode) && ((mode & S_ISVTX) != 0 || size == 0);
    if (fd >= 0 && seen % FD_STATES == FD_UNKNOWN && !may_be_sealed && !S_ISDIR(mode) && !is_borrowed_memory())
        fd_gain(fd, seen, FD_FOREIGN);
}

/* Without vector registers the compiler takes `rep movs`, which needs longer to begin than this to end. */
static inline void copy_words(void *to, const void *from, size_t size)
{
#pragma GCC unroll 32
    for (size_t i = 0; i < size / 8; i++)
        ((text_word *)to)[i] = ((const text_word *)from)[i];
}

/* The answer is made in our own memory first, so that the program never sees a size that is not yet corrected. */
static int stat_call(struct overlay_call *call, const struct target *target, struct stat *result)
{
    int verdict = refuse(call, target);
    if (verdict != GO_ON)
        return verdict;
    struct stat status;
    uint32_t seen = fd_word(target->fd);
    long error = target->path == NULL ? sys_fstat(target->fd, &status)
                                      : sys_fstatat(target->directory, target->path, &status, target->flags);
    if (error >= 0) {
        note_foreign(target->fd, seen, status.st_mode, (uint64_t)status.st_size);
        if (target->fd >= 0)
            fd_note_directory(target->fd, seen, &status);
        error = correct_stat(target, &status);
    }
    if (error >= 0 && !can_write(result, sizeof *result))
        error = -EFAULT;
    if (error >= 0)
        copy_words(result, &status, sizeof status);
    return answer(call, error);
}

int on_stat(struct overlay_call *call)
{
    struct target target = {-1, AT_FDCWD, 0, (const char *)call->args[0]};
    return stat_call(call, &target, (struct stat *)call->args[1]);
}

int on_lstat(struct overlay_call *call)
{
    struct target target = {-1, AT_FDCWD, AT_SYMLINK_NOFOLLOW, (const char *)call->args[0]};
    return stat_call(call, &target, (struct stat *)call->args[1]);
}

int on_fstat(struct overlay_call *call)
{
    struct target target = {(int)call->args[0], AT_FDCWD, 0, NULL};
    return stat_call(call, &target, (struct stat *)call->args[1]);
}

/* An empty path names the descriptor itself; libc's fstat comes this way. */
static struct target target_at(int directory, const char *path, int flags)
{
    struct target target = {-1, directory, flags, path};
    if ((flags & AT_EMPTY_PATH) != 0 && directory != AT_FDCWD &&
        (path == NULL || (can_read(path, 1) && path[0] == 0)))
        target = (struct target){directory, AT_FDCWD, 0, NULL};
    return target;
}

int on_newfstatat(struct overlay_call *call)
{
    if (call->args[1] == 0 && ((int)call->args[3] & AT_EMPTY_PATH) == 0)
        return PASS; /* EFAULT */
    struct target target = target_at((int)call->args[0], (const char *)call->args[1], (int)call->args[3]);
    return stat_call(call, &target, (struct stat *)call->args[2]);
}

static uint64_t device_number(uint32_t major, uint32_t minor)
{
    return ((uint64_t)(major & 0xfffff000) << 32) | ((uint64_t)(major & 0xfff) << 8) |
           ((uint64_t)(minor & 0xffffff00) << 12) | (minor & 0xff);
}

int on_statx(struct overlay_call *call)
{
    const char *path = (const char *)call->args[1];
    struct target target = target_at((int)call->args[0], path, (int)call->args[2]);
    if (target.path == NULL && target.fd < 0)
        return PASS;
    int verdict = refuse(call, &target);
    if (verdict != GO_ON)
        return verdict;

    struct statx status;
    uint32_t seen = fd_word(target.fd);
    /* Mode, inode and size decide what the file is, whatever the program asked for. */
    long error = overlay_raw_syscall6(SYS_statx, call->args[0], call->args[1], call->args[2],
                                      call->args[3] | STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE, (long)&status,
                                      0);
    if (error < 0)
        return answer(call, error);
    note_foreign(target.fd, seen, status.stx_mode, status.stx_size);
    uint64_t device = device_number(status.stx_dev_major, status.stx_dev_minor);
    if (is_to_be_corrected(&target, status.stx_mode, device)) {
        target.flags &= AT_SYMLINK_NOFOLLOW;
        long size = logical_size(&target, (int64_t)status.stx_size, device, status.stx_ino);
        if (size < 0)
            return answer(call, size);
        status.stx_size = (uint64_t)size;
        status.stx_blocks = (uint64_t)shown_blocks((int64_t)status.stx_blocks, size);
        status.stx_mode &= (uint16_t)~S_ISVTX;
    } else if (S_ISDIR(status.stx_mode) && volumes_is_root(device, status.stx_ino)) {
        status.stx_nlink--;
    }
    if (!can_write((struct statx *)call->args[4], sizeof status))
        return answer(call, -EFAULT);
    copy_words((void *)call->args[4], &status, sizeof status);
    return answer(call, 0);
}

static long kept_mode(int fd, const struct stat *status, long mode)
{
    return looks_sealed(fd, status->st_mode, status->st_dev) ? mode | S_ISVTX : mode;
}

int on_fchmod(struct overlay_call *call)
{
    struct stat status;
    if (fd_state_of((int)call->args[0]) == FD_RESERVED)
        return answer(call, -EBADF);
    if (fd_state_of((int)call->args[0]) == FD_SEALED)
        return answer(call, overlay_raw_syscall6(SYS_fchmod, call->args[0], call->args[1] | S_ISVTX, 0, 0, 0, 0));
    if (sys_fstat((int)call->args[0], &status) < 0)
        return PASS;
    return answer(call, overlay_raw_syscall6(SYS_fchmod, call->args[0], kept_mode((int)call->args[0], &status, call->args[1]), 0, 0, 0, 0));
}

static int chmod_at(struct overlay_call *call, int directory, const char *path, long mode, int flags)
{
    struct stat status;
    if (!can_read_path(path))
        return PASS;
    if (volumes_hides(directory, path))
        return answer(call, -ENOENT);
    if (sys_fstatat(directory, path, &status, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) < 0)
        return PASS;
    mode = kept_mode(-1, &status, mode);
    if (call->number == SYS_chmod)
        return answer(call, overlay_raw_syscall6(SYS_chmod, (long)path, mode, 0, 0, 0, 0));
    return answer(call, overlay_raw_syscall6(call->number, directory, (long)path, mode, flags, 0, 0));
}

int on_chmod(struct overlay_call *call)
{
    return chmod_at(call, AT_FDCWD, (const char *)call->args[0], call->args[1], 0);
}

int on_fchmodat(struct overlay_call *call)
{
    return chmod_at(call, (int)call->args[0], (const char *)call->args[1], call->args[2], 0);
}

int on_fchmodat2(struct overlay_call *call)
{
    return chmod_at(call, (int)call->args[0], (const char *)call->args[1], call->args[2], (int)call->args[3]);
}
