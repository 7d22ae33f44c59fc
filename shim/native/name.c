/* Names: the border of a volume (rename, link: EXDEV, design D17), the working directory, chroot. */
#include <errno.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
#include "own_stack.h"
#include "program_name.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "view.h"
#include "volumes.h"

/* The kernel will say what is wrong with the path. */
#define NO_SUCH_NAME ((struct volume *)-1)

/* The length of a path's directory part, with its slash. */
static size_t directory_part(const char *path)
{
    size_t cut = text_length(path);
    while (cut > 1 && path[cut - 1] == '/')
        cut--;
    while (cut > 0 && path[cut - 1] != '/')
        cut--;
    return cut;
}

/*
 * The volume that holds the directory in which (directory, path) is a name. A path with a directory part is resolved by the
 * kernel, since a symbolic link in it may cross the border; a bare name lies in `directory`, whose path is real already.
 */
static long find_volume_of_name(const long *arguments)
{
    int directory = (int)arguments[0];
    const char *path = (const char *)arguments[1];
    char parent[PATH_SIZE];
    size_t cut = directory_part(path);
    if (cut >= PATH_SIZE)
        return (long)NO_SUCH_NAME;
    if (cut > 0) {
        text_copy(parent, path, cut);
        parent[cut] = 0;
        long fd = sys_openat(directory, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0)
            return (long)NO_SUCH_NAME;
        bool is_known = volumes_path_of((int)fd, parent);
        sys_close((int)fd);
        if (is_known)
            return (long)volumes_containing(parent);
    }
    /* An empty path is none. A descriptor may be none, too, or a directory that is gone. */
    if (path[0] == 0 || !volumes_absolute(directory, ".", parent))
        return (long)NO_SUCH_NAME;
    return (long)volumes_containing(parent);
}

static struct volume *volume_of_name(int directory, const char *path)
{
    return (struct volume *)ON_OWN_STACK(find_volume_of_name, directory, (long)path);
}

/* Written alike, the directories of both names are one: most renames are such, and cross no border. */
static bool are_neighbours(int from_directory, const char *from, int to_directory, const char *to)
{
    size_t length = directory_part(from);
    if (length != directory_part(to) || (from_directory != to_directory && from[0] != '/'))
        return false;
    for (size_t i = 0; i < length; i++)
        if (from[i] != to[i])
            return false;
    return true;
}

/* A name that is taken is told before the border is. */
static int refuse_link(struct overlay_call *call, int to_directory, const char *to)
{
    struct stat status;
    return answer(call, sys_fstatat(to_directory, to, &status, AT_SYMLINK_NOFOLLOW) < 0 ? -EXDEV : -EEXIST);
}

static int rename_call(struct overlay_call *call, int from_directory, const char *from, int to_directory, const char *to, bool is_link)
{
    if (!can_read_path(from) || !can_read_path(to))
        return PASS;
    if (volumes_hides(from_directory, from))
        return answer(call, -ENOENT);
    if (volumes_hides(to_directory, to))
        return answer(call, -EACCES);
    if (are_neighbours(from_directory, from, to_directory, to))
        return PASS;
    const struct volume *source = volume_of_name(from_directory, from), *target = volume_of_name(to_directory, to);
    if (source == target || source == NO_SUCH_NAME || target == NO_SUCH_NAME)
        return PASS;
    /* A missing source is ENOENT on any file system. */
    struct stat status;
    long error = sys_fstatat(from_directory, from, &status, AT_SYMLINK_NOFOLLOW);
    if (error == 0 && is_link)
        return refuse_link(call, to_directory, to);
    return answer(call, error < 0 ? error : -EXDEV);
}

int on_rename(struct overlay_call *call)
{
    return rename_call(call, AT_FDCWD, (const char *)call->args[0], AT_FDCWD, (const char *)call->args[1], false);
}

int on_renameat(struct overlay_call *call)
{
    return rename_call(call, (int)call->args[0], (const char *)call->args[1], (int)call->args[2],
                       (const char *)call->args[3], false);
}

int on_renameat2(struct overlay_call *call)
{
    return on_renameat(call);
}

/* /proc/self/fd/N and an empty path name an open file (O_TMPFILE): its own path tells, though it may be "(deleted)". */
static int descriptor_named(int directory, const char *path, int flags)
{
    static const char *const prefixes[] = {"/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/"};
    if ((flags & AT_EMPTY_PATH) != 0 && path[0] == 0)
        return directory;
    if ((flags & AT_SYMLINK_FOLLOW) == 0)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (!text_starts(path, prefixes[i]))
            continue;
        int fd = 0;
        const char *digit = path + text_length(prefixes[i]);
        for (; *digit >= '0' && *digit <= '9'; digit++)
            fd = fd * 10 + (*digit - '0');
        return *digit == 0 ? fd : -1;
    }
    return -1;
}

static int link_call(struct overlay_call *call, int from_directory, const char *from, int to_directory, const char *to,
                     int flags)
{
    if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
        return PASS; /* EINVAL, before anything else is looked at */
    int fd = !can_read_path(from) ? -1 : descriptor_named(from_directory, from, flags);
    if (fd < 0)
        return rename_call(call, from_directory, from, to_directory, to, true);
    if (!can_read_path(to))
        return PASS;
    if (volumes_hides(to_directory, to))
        return answer(call, -EACCES);
    if (sys_fcntl(fd, F_GETFD, 0) < 0)
        return PASS; /* a descriptor that is none lies in no volume, and the kernel says what is wrong */
    const struct volume *target = volume_of_name(to_directory, to);
    return target == NO_SUCH_NAME || target == volumes_of_descriptor(fd) ? PASS : refuse_link(call, to_directory, to);
}

int on_link(struct overlay_call *call)
{
    return link_call(call, AT_FDCWD, (const char *)call->args[0], AT_FDCWD, (const char *)call->args[1], 0);
}

int on_linkat(struct overlay_call *call)
{
    return link_call(call, (int)call->args[0], (const char *)call->args[1], (int)call->args[2],
                     (const char *)call->args[3], (int)call->args[4]);
}

/* The length of what is put into the program's buffer, or -errno; 0: the kernel's answer is right. */
static long read_program_link(const long *arguments)
{
    char target[PATH_SIZE];
    if (!program_name_of_link((int)arguments[0], (const char *)arguments[1], target))
        return 0;
    long length = (long)text_length(target), size = arguments[3];
    length = length < size ? length : size;
    /* Where the buffer is none, that is EFAULT. */
    long written = overlay_raw_syscall6(SYS_readlinkat, arguments[0], arguments[1], arguments[2], size, 0, 0);
    if (written < 0)
        return written;
    if (written < length && !can_write((char *)arguments[2], (size_t)length))
        return -EFAULT;
    text_copy((char *)arguments[2], target, (size_t)length);
    return length;
}

static int readlink_call(struct overlay_call *call, int directory, const char *path, char *result, long size)
{
    if (!can_read_path(path) || size <= 0)
        return PASS;
    if (volumes_hides(directory, path))
        return answer(call, -ENOENT);
    long length = program_looks_like_link(path) ? ON_OWN_STACK(read_program_link, directory, (long)path, (long)result, size) : 0;
    return length == 0 ? PASS : answer(call, length);
}

int on_readlink(struct overlay_call *call)
{
    return readlink_call(call, AT_FDCWD, (const char *)call->args[0], (char *)call->args[1], call->args[2]);
}

int on_readlinkat(struct overlay_call *call)
{
    return readlink_call(call, (int)call->args[0], (const char *)call->args[1], (char *)call->args[2], call->args[3]);
}

int on_chdir(struct overlay_call *call)
{
    if (can_read_path((const char *)call->args[0]) && volumes_hides(AT_FDCWD, (const char *)call->args[0]))
        return answer(call, -ENOENT);
    long result = overlay_raw_syscall6(SYS_chdir, call->args[0], 0, 0, 0, 0, 0);
    volumes_forget_directory();
    return answer(call, result);
}

int on_fchdir(struct overlay_call *call)
{
    long result = overlay_raw_syscall6(SYS_fchdir, call->args[0], 0, 0, 0, 0, 0);
    volumes_forget_directory();
    return answer(call, result);
}

static long change_root(const long *arguments)
{
    char root[PATH_SIZE];
    long fd = sys_openat(AT_FDCWD, (const char *)arguments[0], O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bool is_known = fd >= 0 && volumes_path_of((int)fd, root);
    if (fd >= 0)
        sys_close((int)fd);
    volumes_keep_roots();
    long result = overlay_raw_syscall6(SYS_chroot, arguments[0], 0, 0, 0, 0, 0);
    if (result == 0)
        volumes_rebase(is_known ? root : "");
    volumes_forget_directory();
    return result;
}

/* The engine and the agent may be out of reach afterwards: get both now. The volumes' paths change with the root. */
int on_chroot(struct overlay_call *call)
{
    if (!can_read_path((const char *)call->args[0]))
        return PASS;
    volumes_block_size();
    view_ask_all();
    ENGINE_CALL(prepare, 0);
    return answer(call, ON_OWN_STACK(change_root, call->args[0]));
}
