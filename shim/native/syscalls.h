/* Thin, typed names for the kernel calls that the filter makes itself. All return -errno on failure. */
#ifndef OVERLAY_SYSCALLS_H
#define OVERLAY_SYSCALLS_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "raw_syscall.h"

static inline long sys_openat(int directory, const char *path, int flags, int mode)
{
    return overlay_raw_syscall6(SYS_openat, directory, (long)path, flags, mode, 0, 0);
}

static inline long sys_close(int fd) { return overlay_raw_syscall6(SYS_close, fd, 0, 0, 0, 0, 0); }

static inline long sys_fstat(int fd, struct stat *result)
{
    return overlay_raw_syscall6(SYS_fstat, fd, (long)result, 0, 0, 0, 0);
}

static inline long sys_fstatat(int directory, const char *path, struct stat *result, int flags)
{
    return overlay_raw_syscall6(SYS_newfstatat, directory, (long)path, (long)result, flags, 0, 0);
}

static inline long sys_readlink(const char *path, char *target, long size)
{
    return overlay_raw_syscall6(SYS_readlink, (long)path, (long)target, size, 0, 0, 0);
}

static inline long sys_getcwd(char *path, long size)
{
    return overlay_raw_syscall6(SYS_getcwd, (long)path, size, 0, 0, 0, 0);
}

static inline long sys_fcntl(int fd, int command, long argument)
{
    return overlay_raw_syscall6(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

static inline long sys_write(int fd, const void *data, long size)
{
    return overlay_raw_syscall6(SYS_write, fd, (long)data, size, 0, 0, 0);
}

static inline long sys_pread(int fd, void *data, long size, long offset)
{
    return overlay_raw_syscall6(SYS_pread64, fd, (long)data, size, offset, 0, 0);
}

#endif
