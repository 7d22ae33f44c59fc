/* The loader's system calls while it maps a program's first libraries. It opens, reads, maps and closes one file after another. */
#include <errno.h>
#include <sys/mman.h>

#include "../program_name.h"
#include "../syscalls.h"
#include "../text.h"
#include "start.h"

/* The descriptor that was given the plaintext in place of this file: libraries are known by device and inode. */
static struct {
    int fd;
    dev_t device;
    ino_t inode;
} s_given = {.fd = -1};

static int open_call(struct overlay_call *call, int directory, const char *path, long flags, long mode)
{
    long fd = sys_openat(directory, path, (int)flags, (int)mode);
    struct stat status;
    if (fd == s_given.fd)
        s_given.fd = -1;
    if (fd < 0 || sys_fstat((int)fd, &status) < 0 || !S_ISREG(status.st_mode) || (status.st_mode & S_ISVTX) == 0)
        return answer(call, fd);
    long image = start_copy((int)fd, path);
    if (image < 0) {
        sys_close((int)fd);
        return answer(call, image);
    }
    overlay_raw_syscall6(SYS_mmap, 0, 1, PROT_NONE, MAP_PRIVATE, fd, 0); /* keeps the inode: see library_pin.h */
    overlay_raw_syscall3(SYS_dup3, image, fd, O_CLOEXEC);
    sys_close((int)image);
    s_given.fd = (int)fd;
    s_given.device = status.st_dev;
    s_given.inode = status.st_ino;
    return answer(call, fd);
}

static int status_call(struct overlay_call *call, int fd, struct stat *result)
{
    if (fd != s_given.fd || fd < 0)
        return PASS;
    long error = sys_fstat(fd, result);
    if (error == 0) {
        result->st_dev = s_given.device;
        result->st_ino = s_given.inode;
    }
    return answer(call, error);
}

static int readlink_call(struct overlay_call *call, int directory, const char *path, char *result, long size)
{
    char target[PATH_SIZE];
    if (size <= 0 || !program_name_of_link(directory, path, target))
        return PASS;
    long length = (long)text_length(target);
    length = length < size ? length : size;
    text_copy(result, target, (size_t)length);
    return answer(call, length);
}

long overlay_filter(struct overlay_call *call)
{
    const long *a = call->args;
    switch (call->number) {
    case SYS_open: return open_call(call, AT_FDCWD, (const char *)a[0], a[1], a[2]);
    case SYS_openat: return open_call(call, (int)a[0], (const char *)a[1], a[2], a[3]);
    case SYS_fstat: return status_call(call, (int)a[0], (struct stat *)a[1]);
    case SYS_newfstatat:
        return (a[3] & AT_EMPTY_PATH) != 0 && ((const char *)a[1])[0] == 0
                   ? status_call(call, (int)a[0], (struct stat *)a[2])
                   : PASS;
    case SYS_readlink: return readlink_call(call, AT_FDCWD, (const char *)a[0], (char *)a[1], a[2]);
    case SYS_readlinkat: return readlink_call(call, (int)a[0], (const char *)a[1], (char *)a[2], a[3]);
    default: return PASS;
    }
}
