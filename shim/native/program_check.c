#include "program_check.h"

#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include "environment.h"
#include "log.h"
#include "program_look.h"
#include "syscalls.h"
#include "text.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

static bool s_allow_static;

void program_allow_static(bool is_allowed) { s_allow_static = is_allowed; }

static long refuse(const char *path, const char *reason)
{
    log_line(path, reason);
    return -EACCES;
}

bool program_is_loader(const char *path)
{
    const char *name = path;
    for (const char *c = path; *c != 0; c++)
        if (*c == '/')
            name = c + 1;
    return text_starts(name, "ld-linux") || text_starts(name, "ld-2.") || text_starts(name, "ld.so");
}

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
    Elf64_Phdr segment;
    for (int i = 0; i < header->e_phnum; i++) {
        long offset = (long)(header->e_phoff + (uint64_t)i * header->e_phentsize);
        if (sys_pread(fd, &segment, sizeof segment, offset) != sizeof segment)
            return true; /* broken: the kernel refuses it in its own words */
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

long program_check_elf(int fd, const char *path)
{
    Elf64_Ehdr header;
    if (s_allow_static || sys_pread(fd, &header, sizeof header, 0) != sizeof header)
        return 0;
    if (header.e_ident[EI_CLASS] == ELFCLASS32)
        return refuse(path, "a 32-bit program cannot run under Overlay: it would see and write ciphertext. "
                            "overlay-ctl run --allow-static, or OVERLAY_ALLOW_STATIC=1, runs it all the same");
    /* Anything else that is no program, the kernel refuses in its own words. */
    if (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 && !has_interpreter(fd, &header) &&
        !program_is_loader(path))
        return refuse(path, "a statically linked program cannot run under Overlay: it would see and write ciphertext. "
                            "overlay-ctl run --allow-static, or OVERLAY_ALLOW_STATIC=1, runs it all the same");
    return 0;
}

long program_check_mode(const char *path, const struct stat *status)
{
    bool changes_user = (status->st_mode & S_ISUID) != 0 &&
                        status->st_uid != (uid_t)overlay_raw_syscall6(SYS_geteuid, 0, 0, 0, 0, 0, 0);
    bool changes_group = (status->st_mode & S_ISGID) != 0 && (status->st_mode & S_IXGRP) != 0 &&
                         status->st_gid != (gid_t)overlay_raw_syscall6(SYS_getegid, 0, 0, 0, 0, 0, 0);
    if ((changes_user || changes_group) && !s_allow_static)
        return refuse(path, "a set-user-id or set-group-id program cannot run under Overlay: the loader would not preload "
                            "it. overlay-ctl run --allow-static, or OVERLAY_ALLOW_STATIC=1, runs it all the same");
    return 0;
}

/*
 * Whatever the program: the kernel makes what such a process executes a secure one (AT_SECURE), and its loader forgets what it should preload.
 */
long program_check_users(const struct program_level *level)
{
    uint32_t user[3], group[3];
    if (s_allow_static || overlay_raw_syscall6(SYS_getresuid, (long)&user[0], (long)&user[1], (long)&user[2], 0, 0, 0) < 0 ||
        overlay_raw_syscall6(SYS_getresgid, (long)&group[0], (long)&group[1], (long)&group[2], 0, 0, 0) < 0)
        return 0;
    if (user[0] == user[1] && group[0] == group[1])
        return 0;
    return refuse(level->path, "a program that would run with an effective user or group other than the real one (seteuid) cannot run under Overlay: the "
                               "loader would not preload it. overlay-ctl run --allow-static, or OVERLAY_ALLOW_STATIC=1, runs it all the same");
}

/* As such a program; the kernel lets root, who has all of it anyway, keep his environment. */
long program_check_capabilities(const struct program_level *level)
{
    bool is_descriptor = level->path[0] == 0;
    if (s_allow_static || overlay_raw_syscall6(SYS_getuid, 0, 0, 0, 0, 0, 0) == 0)
        return 0;
    int no_follow = (level->flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0;
    long fd = is_descriptor ? level->directory : sys_openat(level->directory, level->path, O_PATH | O_CLOEXEC | no_follow, 0);
    if (fd < 0)
        return 0;
    /* By its name in /proc: a file that may only be executed can be asked, too. */
    char link[40] = "/proc/self/fd/";
    link[14 + text_decimal(link + 14, (unsigned long)fd)] = 0;
    long size = overlay_raw_syscall6(SYS_getxattr, (long)link, (long)"security.capability", 0, 0, 0, 0);
    if (!is_descriptor)
        sys_close((int)fd);
    return size > 0 ? refuse(level->path, "a program with file capabilities cannot run under Overlay: the loader would not preload it. "
                                          "OVERLAY_ALLOW_STATIC=1 runs it all the same")
                    : 0;
}

long program_check_shim(const struct program_level *level)
{
    struct stat status;
    if (s_allow_static || environment_shim_is_reachable() ||
        sys_fstatat(level->directory, level->path, &status, level->flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) < 0)
        return 0;
    return refuse(level->path, "a program that cannot load Overlay's library, by its user's rights or after a chroot, cannot run: "
                               "it would see and write ciphertext. overlay-ctl run --allow-static, or OVERLAY_ALLOW_STATIC=1, runs it all the same");
}

/*
 * Linux 6.14 and later say whether an exec of this file would be allowed: permissions, mount options, security modules, and
 * that nobody has it open for writing. Before, there are only the former two.
 */
long program_check_access(int directory, const char *path, int flags)
{
    static bool s_cannot_check;
    flags &= AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (!s_cannot_check) {
        static const char *const arguments[] = {"", NULL};
        long error = overlay_raw_syscall6(SYS_execveat, directory, (long)path, (long)arguments, 0,
                                          flags | AT_EXECVE_CHECK, 0);
        if (error != -EINVAL)
            return error;
        s_cannot_check = true;
    }
    long error = overlay_raw_syscall6(SYS_faccessat2, directory, (long)path, X_OK, AT_EACCESS | flags, 0, 0);
    /* Before Linux 5.8: the real user's rights, by name only. */
    if (error == -ENOSYS)
        error = path[0] == 0 ? 0 : overlay_raw_syscall6(SYS_faccessat, directory, (long)path, X_OK, 0, 0, 0);
    return error;
}
