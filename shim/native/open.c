/*
 * open, openat, openat2, creat, open_by_handle_at. The kernel opens the file as the program asked (design D5), but for O_TRUNC, which would cut
 * ciphertext behind another process's back.
 */
#include <errno.h>
#include <linux/openat2.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "log.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "view.h"
#include "volumes.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define OPEN_HOW_LIMIT 4096 /* the kernel's: a page */

static long open_raw(int directory, const char *path, const struct open_how *how, bool is_openat2, size_t how_size)
{
    if (is_openat2)
        return overlay_raw_syscall6(SYS_openat2, directory, (long)path, (long)how, (long)how_size, 0, 0);
    return sys_openat(directory, path, (int)how->flags, (int)how->mode);
}

/* A file that we did not take over and that the program wanted cut. */
static long truncate_foreign(int fd, const char *path, int directory, const struct open_how *asked, bool is_openat2)
{
    long error = overlay_raw_syscall6(SYS_ftruncate, fd, 0, 0, 0, 0, 0);
    if (error != -EINVAL)
        return error;
    /* O_RDONLY | O_TRUNC cuts as well, but not through ftruncate: let the kernel do it as asked. */
    long again = open_raw(directory, path, asked, is_openat2, sizeof *asked);
    if (again >= 0)
        sys_close((int)again);
    return again < 0 ? again : 0;
}

/* May a file that looks to lie outside be inside by a symbolic link? Asked only for what could put plaintext there. */
static bool is_really_inside(int fd)
{
    return volumes_of_descriptor(fd) != NULL;
}

/* What F_GETFL would say of what was just opened (fs/open.c). */
static int description_flags(uint64_t asked)
{
    return (int)asked & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
}

static long take_over(int fd, int directory, const char *path, const struct open_how *asked, bool is_openat2,
                      const struct volume *volume)
{
    bool is_truncating = (asked->flags & O_TRUNC) != 0;
    bool is_writing = is_truncating || (asked->flags & (O_CREAT | O_ACCMODE)) != 0;
    struct stat status;
    long error = sys_fstat(fd, &status);
    if (error < 0 || !S_ISREG(status.st_mode))
        return error < 0 ? error : is_truncating && S_ISDIR(status.st_mode) ? -EISDIR : fd;

    bool is_candidate = (status.st_mode & S_ISVTX) != 0 || volume != NULL;
    if (!is_candidate && is_writing && status.st_size == 0 && volumes_on_device(status.st_dev))
        is_candidate = is_really_inside(fd);
    bool is_borrowed = is_borrowed_memory();
    uint32_t seen = fd_word(fd);
    long attached = 0;
    if (is_candidate) {
        int flags = OVERLAY_ATTACH_OPENED | (is_truncating ? OVERLAY_ATTACH_TRUNCATE : 0) |
                    (is_borrowed ? OVERLAY_ATTACH_TRANSIENT : 0) |
                    (volume != NULL && overlay_volumes_are_rebased ? OVERLAY_ATTACH_INSIDE | (int)(volume - overlay_volumes) << 8 : 0);
        const struct overlay_opened opened = engine_opened(&status, description_flags(asked->flags));
        attached = ENGINE_CALL(attach, fd, flags, (long)&opened);
        if (attached < 0)
            return attached;
    }
    if (attached == 0) {
        const struct volume *moved = NULL;
        if (is_writing && status.st_size == 0 && volumes_on_device(status.st_dev))
            moved = volumes_moved_over(fd);
        if (moved != NULL) {
            log_line(moved->root, "the volume was moved or renamed: a new file there would be plaintext, and is refused");
            return -ESTALE;
        }
        if (is_truncating && status.st_size != 0 &&
            (error = truncate_foreign(fd, path, directory, asked, is_openat2)) < 0)
            return error;
    }
    if (!is_borrowed)
        fd_gain(fd, seen, attached > 0 ? FD_SEALED : FD_FOREIGN);
    return fd;
}

/* With O_TRUNC the kernel would have asked for the right to write, too, and first of all whether it is a directory. */
static long error_of_truncating(int directory, const char *path, long error)
{
    struct stat status;
    if (error != -EACCES && error != -EPERM)
        return error;
    if (sys_fstatat(directory, path, &status, 0) >= 0 && S_ISDIR(status.st_mode))
        return -EISDIR;
    return overlay_raw_syscall6(SYS_faccessat2, directory, (long)path, W_OK, AT_EACCESS, 0, 0) == -EACCES ? -EACCES : error;
}

static int open_file(struct overlay_call *call, int directory, const char *path, const struct open_how *asked,
                     bool is_openat2)
{
    enum path_look look = path_look(path);
    if (look == PATH_UNREADABLE)
        return PASS;
    if (look != PATH_PLAIN && volumes_hides(directory, path))
        return answer(call, (asked->flags & O_CREAT) != 0 ? -EACCES : -ENOENT);

    const int accmode = (int)asked->flags & O_ACCMODE;
    bool is_unnamed = (asked->flags & O_TMPFILE) == O_TMPFILE;
    bool has_no_data = (asked->flags & O_PATH) != 0 || ((asked->flags & O_DIRECTORY) != 0 && !is_unnamed);
    bool is_reading = accmode == O_RDONLY && (asked->flags & (O_CREAT | O_TRUNC)) == 0;
    struct volume *volume = has_no_data          ? NULL
                            : look == PATH_PLAIN ? volumes_locate_plain(directory, path)
                                                 : volumes_locate(directory, path);
    bool is_inside = volume != NULL;
    if (is_inside && view_is_raw(volume)) {
        if (!is_reading) {
            log_line(path, "by the volume's policy this program sees ciphertext: it writes nothing here");
            return answer(call, -EACCES);
        }
        is_inside = false; /* it is looked at on first use, as what lies outside */
    }

    struct open_how how = *asked;
    /* On a regular file the sticky bit is our mark, and a new one has no header yet. */
    if (is_inside)
        how.mode &= ~(uint64_t)S_ISVTX;
    /* Of what is to be truncated nothing is ever looked up in the cache alone (RESOLVE_CACHED): the kernel says so. */
    if (!has_no_data && (!is_reading || is_inside) && (how.resolve & RESOLVE_CACHED) == 0)
        how.flags &= ~(uint64_t)O_TRUNC;
    long fd = open_raw(directory, path, &how, is_openat2, sizeof how);
    if (fd < 0)
        return answer(call, how.flags == asked->flags || is_unnamed ? fd : error_of_truncating(directory, path, fd));
    fd_release((int)fd);
    /* A reader's file is looked at on first use: sealed or not, one fstat tells (fd_classify). */
    if (has_no_data || (is_reading && !is_inside))
        return answer(call, fd);

    long result = take_over((int)fd, directory, path, asked, is_openat2, volume);
    if (result < 0) {
        sys_close((int)fd);
        /* What O_EXCL has made a moment ago is ours to remove: the program is told that it does not exist. */
        if ((asked->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && !is_unnamed)
            overlay_raw_syscall6(SYS_unlinkat, directory, (long)path, 0, 0, 0, 0);
    }
    return answer(call, result);
}

int on_open(struct overlay_call *call)
{
    struct open_how how = {.flags = (uint32_t)call->args[1], .mode = (uint32_t)call->args[2]};
    return open_file(call, AT_FDCWD, (const char *)call->args[0], &how, false);
}

int on_creat(struct overlay_call *call)
{
    struct open_how how = {.flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = (uint32_t)call->args[1]};
    return open_file(call, AT_FDCWD, (const char *)call->args[0], &how, false);
}

int on_openat(struct overlay_call *call)
{
    struct open_how how = {.flags = (uint32_t)call->args[2], .mode = (uint32_t)call->args[3]};
    return open_file(call, (int)call->args[0], (const char *)call->args[1], &how, false);
}

int on_openat2(struct overlay_call *call)
{
    const struct open_how *asked = (const struct open_how *)call->args[2];
    size_t size = (size_t)call->args[3];
    if (size < sizeof *asked || size > OPEN_HOW_LIMIT || !can_read(asked, size))
        return PASS; /* EINVAL, E2BIG, EFAULT */
    /* A larger structure than we know may hold a flag that we would drop: the kernel refuses what it does not know. */
    for (size_t i = sizeof *asked; i < size; i++)
        if (((const char *)asked)[i] != 0)
            return answer(call, -E2BIG);
    return open_file(call, (int)call->args[0], (const char *)call->args[1], asked, true);
}

/* By handle: the kernel's own O_TRUNC would cut ciphertext. */
int on_open_by_handle_at(struct overlay_call *call)
{
    struct open_how how = {.flags = (uint32_t)call->args[2]};
    long fd = overlay_raw_syscall6(SYS_open_by_handle_at, call->args[0], call->args[1], call->args[2] & ~(long)O_TRUNC, 0, 0, 0);
    if (fd < 0)
        return answer(call, fd);
    fd_release((int)fd);
    if ((how.flags & O_PATH) != 0 || (how.flags & (O_TRUNC | O_ACCMODE)) == 0)
        return answer(call, fd);
    char link[40] = "/proc/self/fd/";
    link[14 + text_decimal(link + 14, (unsigned long)fd)] = 0;
    long result = take_over((int)fd, AT_FDCWD, link, &how, false, NULL);
    if (result < 0)
        sys_close((int)fd);
    return answer(call, result);
}
