/* The call families and their handlers; dispatch.c has the table. */
#ifndef OVERLAY_CALLS_H
#define OVERLAY_CALLS_H

#include "filter.h"

#define OVERLAY_HANDLERS(X)                                                                                            \
    /* open.c */                                                                                                       \
    X(open) X(openat) X(openat2) X(creat) X(open_by_handle_at)                                                         \
    /* descriptor.c */                                                                                                 \
    X(close) X(close_range) X(dup) X(dup2) X(dup3) X(fcntl)                                                            \
    /* transfer.c */                                                                                                   \
    X(read) X(write) X(pread64) X(pwrite64) X(readv) X(writev) X(preadv) X(pwritev) X(preadv2) X(pwritev2)             \
    X(sendfile) X(copy_file_range) X(splice)                                                                           \
    /* size.c */                                                                                                       \
    X(lseek) X(truncate) X(ftruncate) X(fallocate) X(fsync) X(fdatasync) X(sync_file_range)                            \
    /* ioctl.c */                                                                                                      \
    X(ioctl)                                                                                                           \
    /* aio.c */                                                                                                        \
    X(io_setup) X(io_getevents) X(io_pgetevents) X(io_cancel) X(io_destroy)                                            \
    /* aio_submit.c */                                                                                                 \
    X(io_submit)                                                                                                       \
    /* mapping.c */                                                                                                    \
    X(mmap) X(munmap) X(mremap) X(mprotect) X(remap_file_pages) X(msync)                                               \
    /* status.c */                                                                                                     \
    X(stat) X(lstat) X(fstat) X(newfstatat) X(statx) X(chmod) X(fchmod) X(fchmodat) X(fchmodat2)                       \
    /* name.c */                                                                                                       \
    X(rename) X(renameat) X(renameat2) X(link) X(linkat) X(getdents) X(getdents64) X(chdir) X(fchdir) X(chroot)        \
    X(readlink) X(readlinkat)                                                                                          \
    /* limits.c */                                                                                                     \
    X(setrlimit) X(prlimit64)                                                                                          \
    /* sending.c */                                                                                                    \
    X(sendmsg) X(sendmmsg)                                                                                             \
    /* process.c */                                                                                                    \
    X(exit_group) X(setuid_family) X(setxid) X(rights) X(seccomp) X(prctl) X(io_uring_setup) X(kernel_file) X(mount) X(arch_prctl)         \
    /* exec.c */                                                                                                       \
    X(execve) X(execveat)                                                                                              \
    /* fork.c */                                                                                                       \
    X(fork) X(vfork) X(clone) X(clone3)                                                                                \
    /* trap_signals.c */                                                                                               \
    X(rt_sigprocmask) X(rt_sigaction) X(rt_sigsuspend) X(ppoll) X(epoll_pwait) X(pselect6)                             \
    /* engine_call.c */                                                                                                \
    X(set_robust_list)

#define OVERLAY_DECLARE_HANDLER(name) int on_##name(struct overlay_call *call) HIDDEN;
OVERLAY_HANDLERS(OVERLAY_DECLARE_HANDLER)
#undef OVERLAY_DECLARE_HANDLER

/* process.c; before exec and exit: the settled sizes of what this process has open are written (format 8). */
void process_settle(void) HIDDEN;

/* process.c; not 0: the program has put a seccomp filter on itself. */
extern int overlay_has_filter HIDDEN;

/* Calls that take one path and need nothing but the hiding of `.overlay`: see dispatch.c. */
int on_path_only(struct overlay_call *call) HIDDEN;

#endif
