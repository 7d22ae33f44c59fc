/* What a directory listing leaves out: a volume's `.overlay`, and the engine's own descriptors in this process's /proc/PID/fd. */
#include <errno.h>
#include <sys/sysmacros.h>

#include "calls.h"
#include "fdtable.h"
#include "own_stack.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

/* /proc/PID/fd, /proc/PID/fdinfo, and the same of one of our threads. */
static long has_name_of_descriptor_list(const long *arguments)
{
    int fd = (int)arguments[0];
    char path[PATH_SIZE], own[32] = "/proc/";
    size_t length = 6 + text_decimal(own + 6, (unsigned long)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0));
    own[length] = '/';
    own[length + 1] = 0;
    if (!volumes_path_of(fd, path) || !text_starts(path, own))
        return false;
    const char *last = path;
    for (const char *at = path; *at != 0; at++)
        if (*at == '/')
            last = at;
    return text_same(last, "/fd") || text_same(last, "/fdinfo");
}

/* procfs has no device and no blocks: most other directories are told apart without another system call. */
static bool may_be_procfs(const struct stat *status)
{
    return major(status->st_dev) == 0 && status->st_blocks == 0;
}

bool listing_hides_nothing(const struct stat *status)
{
    return !volumes_is_root(status->st_dev, status->st_ino) && !may_be_procfs(status);
}

static bool is_own_descriptor_list(int fd, const struct stat *status)
{
    return fd_any_reserved() && may_be_procfs(status) && ON_OWN_STACK(has_name_of_descriptor_list, fd);
}

static bool is_hidden(const char *name, bool in_volume_root)
{
    if (in_volume_root)
        return text_same(name, ".overlay");
    int fd = 0;
    for (; *name >= '0' && *name <= '9' && fd < FD_LIMIT; name++)
        fd = fd * 10 + (*name - '0');
    return *name == 0 && fd_state_of(fd) == FD_RESERVED;
}

/* `name_offset`: where a record's name begins. */
static int list(struct overlay_call *call, size_t name_offset)
{
    int fd = (int)call->args[0];
    uint32_t seen = fd_word(fd);
    if (seen % FD_STATES == FD_RESERVED)
        return answer(call, -EBADF);
    struct stat status;
    if (seen % FD_STATES == FD_LISTED || sys_fstat(fd, &status) < 0)
        return PASS;
    fd_note_directory(fd, seen, &status);
    bool in_volume_root = volumes_is_root(status.st_dev, status.st_ino);
    if (!in_volume_root && !is_own_descriptor_list(fd, &status))
        return PASS;
    for (;;) {
        long size = overlay_raw_syscall6(call->number, fd, call->args[1], call->args[2], 0, 0, 0);
        char *buffer = (char *)call->args[1];
        long kept = 0;
        for (long at = 0; at < size;) {
            long length = *(uint16_t *)(buffer + at + 16);
            if (!is_hidden(buffer + at + name_offset, in_volume_root)) {
                text_copy(buffer + kept, buffer + at, kept == at ? 0 : (size_t)length);
                kept += length;
            }
            at += length;
        }
        /* Nothing left of what was there is not the end of the directory: go on reading. */
        if (size <= 0 || kept > 0)
            return answer(call, size <= 0 ? size : kept);
    }
}

int on_getdents64(struct overlay_call *call) { return list(call, 19); }
int on_getdents(struct overlay_call *call) { return list(call, 18); }
