/* From call number to handler. The trampoline calls overlay_filter for each call of interest. */
#include "dispatch.h"

#include <errno.h>
#include <sys/syscall.h>

#include "calls.h"
#include "engine_call.h"
#include "engine_load.h"
#include "lazy.h"
#include "reachable.h"
#include "self_check.h"
#include "syscalls.h"
#include "trace.h"
#include "trap.h"
#include "volumes.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static const call_handler s_handlers[CALL_LIMIT] = {
    [SYS_open] = on_open, [SYS_openat] = on_openat, [SYS_openat2] = on_openat2, [SYS_creat] = on_creat,
    [SYS_open_by_handle_at] = on_open_by_handle_at,
    [SYS_close] = on_close, [SYS_close_range] = on_close_range,
    [SYS_dup] = on_dup, [SYS_dup2] = on_dup2, [SYS_dup3] = on_dup3, [SYS_fcntl] = on_fcntl,
    [SYS_read] = on_read, [SYS_write] = on_write, [SYS_pread64] = on_pread64, [SYS_pwrite64] = on_pwrite64,
    [SYS_readv] = on_readv, [SYS_writev] = on_writev, [SYS_preadv] = on_preadv, [SYS_pwritev] = on_pwritev,
    [SYS_preadv2] = on_preadv2, [SYS_pwritev2] = on_pwritev2,
    [SYS_sendfile] = on_sendfile, [SYS_copy_file_range] = on_copy_file_range, [SYS_splice] = on_splice,
    [SYS_lseek] = on_lseek, [SYS_truncate] = on_truncate, [SYS_ftruncate] = on_ftruncate,
    [SYS_fallocate] = on_fallocate, [SYS_fsync] = on_fsync, [SYS_fdatasync] = on_fdatasync,
    [SYS_sync_file_range] = on_sync_file_range, [SYS_ioctl] = on_ioctl,
    [SYS_mmap] = on_mmap, [SYS_munmap] = on_munmap, [SYS_mremap] = on_mremap, [SYS_mprotect] = on_mprotect,
    [SYS_pkey_mprotect] = on_mprotect, [SYS_msync] = on_msync, [SYS_remap_file_pages] = on_remap_file_pages,
    [SYS_stat] = on_stat, [SYS_lstat] = on_lstat, [SYS_fstat] = on_fstat,
    [SYS_newfstatat] = on_newfstatat, [SYS_statx] = on_statx,
    [SYS_chmod] = on_chmod, [SYS_fchmod] = on_fchmod, [SYS_fchmodat] = on_fchmodat, [SYS_fchmodat2] = on_fchmodat2,
    [SYS_rename] = on_rename, [SYS_renameat] = on_renameat, [SYS_renameat2] = on_renameat2,
    [SYS_link] = on_link, [SYS_linkat] = on_linkat,
    [SYS_getdents] = on_getdents, [SYS_getdents64] = on_getdents64,
    [SYS_chdir] = on_chdir, [SYS_fchdir] = on_fchdir, [SYS_chroot] = on_chroot,
    [SYS_execve] = on_execve, [SYS_execveat] = on_execveat, [SYS_exit_group] = on_exit_group,
    [SYS_fork] = on_fork, [SYS_vfork] = on_vfork, [SYS_clone] = on_clone, [SYS_clone3] = on_clone3,
    [SYS_set_robust_list] = on_set_robust_list,
    [SYS_prctl] = on_prctl, [SYS_seccomp] = on_seccomp,
    [SYS_landlock_restrict_self] = on_setuid_family,
    [SYS_setuid] = on_setxid, [SYS_setgid] = on_setxid, [SYS_setreuid] = on_setxid,
    [SYS_setregid] = on_setxid, [SYS_setresuid] = on_setxid, [SYS_setresgid] = on_setxid,
    [SYS_capset] = on_rights, [SYS_setgroups] = on_rights,
    [SYS_sched_setscheduler] = on_rights, [SYS_sched_setattr] = on_rights, [SYS_sched_setaffinity] = on_rights, [SYS_setpriority] = on_rights,
    [SYS_pivot_root] = on_setuid_family, [SYS_setns] = on_setuid_family, [SYS_unshare] = on_setuid_family,
    [SYS_io_uring_setup] = on_io_uring_setup,
    [SYS_io_setup] = on_io_setup, [SYS_io_submit] = on_io_submit, [SYS_io_getevents] = on_io_getevents,
    [SYS_io_pgetevents] = on_io_pgetevents, [SYS_io_cancel] = on_io_cancel, [SYS_io_destroy] = on_io_destroy,
    [SYS_setrlimit] = on_setrlimit, [SYS_prlimit64] = on_prlimit64, [SYS_sendmsg] = on_sendmsg, [SYS_sendmmsg] = on_sendmmsg,
    [SYS_swapon] = on_kernel_file, [SYS_acct] = on_kernel_file,
    [SYS_mount] = on_mount, [SYS_move_mount] = on_mount,
    /* Only where calls are trapped, and but for the last where SIGSEGV is ours (lazy.h). */
    [SYS_rt_sigprocmask] = on_rt_sigprocmask, [SYS_rt_sigaction] = on_rt_sigaction, [SYS_rt_sigsuspend] = on_rt_sigsuspend,
    [SYS_ppoll] = on_ppoll, [SYS_pselect6] = on_pselect6, [SYS_epoll_pwait] = on_epoll_pwait, [SYS_epoll_pwait2] = on_epoll_pwait,
    [SYS_arch_prctl] = on_arch_prctl,
    /* Only the hiding of `.overlay`. */
    [SYS_access] = on_path_only, [SYS_faccessat] = on_path_only, [SYS_faccessat2] = on_path_only,
    [SYS_mkdir] = on_path_only, [SYS_mkdirat] = on_path_only, [SYS_rmdir] = on_path_only,
    [SYS_unlink] = on_path_only, [SYS_unlinkat] = on_path_only, [SYS_mknod] = on_path_only,
    [SYS_mknodat] = on_path_only, [SYS_symlinkat] = on_path_only, [SYS_symlink] = on_path_only,
    [SYS_readlink] = on_readlink, [SYS_readlinkat] = on_readlinkat, [SYS_utimensat] = on_path_only,
    [SYS_chown] = on_path_only, [SYS_lchown] = on_path_only, [SYS_fchownat] = on_path_only,
    [SYS_statfs] = on_path_only, [SYS_utime] = on_path_only, [SYS_utimes] = on_path_only,
    [SYS_futimesat] = on_path_only, [SYS_getxattr] = on_path_only, [SYS_lgetxattr] = on_path_only,
    [SYS_setxattr] = on_path_only, [SYS_lsetxattr] = on_path_only, [SYS_listxattr] = on_path_only,
    [SYS_llistxattr] = on_path_only, [SYS_removexattr] = on_path_only, [SYS_lremovexattr] = on_path_only,
    [SYS_inotify_add_watch] = on_path_only,
};

/* Where such a call has its directory descriptor (-1: none) and its path. */
static int path_index(long number, int *directory_index)
{
    *directory_index = -1;
    switch (number) {
    case SYS_symlink:
        return 1;
    case SYS_inotify_add_watch:
        return 1;
    case SYS_symlinkat:
        *directory_index = 1;
        return 2;
    case SYS_faccessat: case SYS_faccessat2: case SYS_mkdirat: case SYS_unlinkat: case SYS_mknodat:
    case SYS_readlinkat: case SYS_utimensat: case SYS_fchownat: case SYS_futimesat:
        *directory_index = 0;
        return 1;
    default:
        return 0;
    }
}

int on_path_only(struct overlay_call *call)
{
    int directory_index;
    long path = call->args[path_index(call->number, &directory_index)];
    enum path_look look = path_look((const char *)path);
    if (look == PATH_UNREADABLE || look == PATH_PLAIN)
        return PASS;
    int directory = directory_index < 0 ? AT_FDCWD : (int)call->args[directory_index];
    return volumes_hides(directory, (const char *)path) ? answer(call, -ENOENT) : PASS;
}

/* A table, since it is asked at each call. */
static const bool s_is_for_traps[CALL_LIMIT] = {
    [SYS_rt_sigprocmask] = true, [SYS_rt_sigaction] = true, [SYS_rt_sigsuspend] = true, [SYS_ppoll] = true,
    [SYS_pselect6] = true, [SYS_epoll_pwait] = true, [SYS_epoll_pwait2] = true, [SYS_arch_prctl] = true,
};

void dispatch_mark_interest(uint8_t interest[CALL_LIMIT], bool has_traps)
{
    for (int number = 0; number < CALL_LIMIT; number++)
        interest[number] = s_handlers[number] != NULL && (has_traps || !s_is_for_traps[number]);
}

/* 1: handled, the result is in the call; 0: the kernel gets it as it came. */
long overlay_filter(struct overlay_call *call)
{
    if (overlay_is_self_checking)
        return self_check_note(call);
    if (overlay_in_engine != 0)
        return engine_own_call(call);
    if ((unsigned long)call->number >= CALL_LIMIT)
        return PASS;
    if (overlay_lazy_count != 0)
        lazy_prepare_call(call);
    if (s_handlers[call->number] == NULL)
        return PASS;
    if (s_is_for_traps[call->number] && overlay_traps == 0 && (overlay_own_signals == 0 || call->number == SYS_arch_prctl))
        return PASS; /* by libc's syscall() */
    if (trace_is_on())
        return trace_call(call, s_handlers[call->number]);
    return s_handlers[call->number](call);
}
