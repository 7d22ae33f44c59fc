/* The calls the tests intercept: everything that takes a path or a descriptor of a file, and what makes or replaces
 * processes. At least as many as the shim's own filter asks for. */
#ifndef WANTED_NUMBERS_H
#define WANTED_NUMBERS_H

#include <sys/syscall.h>

#include "../../../shim/native/patch.h"

/* What overlay_filter answers. */
#define PASS_ON 0
#define HANDLED 1

static const int wanted_numbers[] = {
    SYS_read, SYS_write, SYS_open, SYS_close, SYS_stat, SYS_fstat, SYS_lstat, SYS_lseek, SYS_mmap, SYS_munmap,
    SYS_mremap, SYS_msync, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_access, SYS_dup, SYS_dup2, SYS_dup3,
    SYS_sendfile, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_execve, SYS_execveat, SYS_fcntl, SYS_flock,
    SYS_fsync, SYS_fdatasync, SYS_truncate, SYS_ftruncate, SYS_getdents, SYS_getdents64, SYS_rename, SYS_renameat,
    SYS_renameat2, SYS_creat, SYS_link, SYS_linkat, SYS_unlink, SYS_unlinkat, SYS_symlink, SYS_symlinkat, SYS_readlink,
    SYS_readlinkat, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_chown, SYS_fchown, SYS_lchown, SYS_fchownat, SYS_mkdir,
    SYS_mkdirat, SYS_rmdir, SYS_mknod, SYS_mknodat, SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_faccessat,
    SYS_faccessat2, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_splice, SYS_tee, SYS_copy_file_range,
    SYS_fallocate, SYS_close_range, SYS_ioctl, SYS_io_uring_setup, SYS_chdir, SYS_fchdir, SYS_chroot, SYS_setns,
    SYS_recvmsg, SYS_sendmsg, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr,
    SYS_utimensat, SYS_futimesat, SYS_utime, SYS_utimes, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_inotify_add_watch,
    SYS_statfs, SYS_fstatfs, SYS_fadvise64, SYS_readahead, SYS_sync_file_range, SYS_syncfs, SYS_exit_group,
    SYS_io_submit, SYS_io_setup, SYS_prctl, SYS_seccomp, SYS_memfd_create, SYS_pidfd_getfd, SYS_sendmmsg, SYS_setrlimit, SYS_prlimit64,
    /* What leads into a mapping that is filled when it is touched, and what the signals of that are blocked and caught by. */
    SYS_sendto, SYS_recvfrom, SYS_recvmmsg, SYS_connect, SYS_bind, SYS_vmsplice, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_mq_timedsend, SYS_mq_timedreceive, SYS_msgsnd, SYS_msgrcv, SYS_listxattr, SYS_llistxattr, SYS_flistxattr,
    SYS_mlock, SYS_mlock2, SYS_mlockall, SYS_madvise, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigsuspend, SYS_ppoll, SYS_pselect6,
    SYS_epoll_pwait,
};

static inline void want_all(struct overlay_patch_options *options)
{
    for (unsigned i = 0; i < sizeof wanted_numbers / sizeof wanted_numbers[0]; i++)
        options->numbers[wanted_numbers[i] / 64] |= 1ul << (wanted_numbers[i] % 64);
}

#endif
