#include "program_check.h"

#include <elf.h>
#include <errno.h>

#include "environment.h"
#include "log.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

#define INTERPRETER_DEPTH 4 /* as the kernel's limit for scripts of scripts */

static bool s_allow_static;

void program_allow_static(bool is_allowed) { s_allow_static = is_allowed; }

static long refuse(const char *path, const char *reason)
{
    log_line(path, reason);
    return -EACCES;
}

/* The loader itself (`/lib64/ld-linux-x86-64.so.2 program`) has no interpreter, and honours LD_PRELOAD. */
static bool is_loader(const char *path)
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

static long check_elf(int fd, const char *path, const Elf64_Ehdr *header)
{
    if (s_allow_static)
        return 0;
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return refuse(path, "a 32-bit program cannot run under Overlay: it would see and write ciphertext. "
                            "OVERLAY_ALLOW_STATIC=1 runs it all the same");
    if (!has_interpreter(fd, header) && !is_loader(path))
        return refuse(path, "a statically linked program cannot run under Overlay: it would see and write ciphertext. "
                            "OVERLAY_ALLOW_STATIC=1 runs it all the same");
    return 0;
}

/* "#! interpreter argument": cuts the interpreter's path out of the line. */
static const char *interpreter_of(char *line)
{
    char *start = line + 2;
    while (*start == ' ' || *start == '\t')
        start++;
    char *end = start;
    while (*end != 0 && *end != ' ' && *end != '\t' && *end != '\n')
        end++;
    *end = 0;
    return *start != 0 ? start : NULL;
}

static long check_mode(const char *path, const struct stat *status)
{
    if ((status->st_mode & S_ISVTX) != 0 && volumes_on_device(status->st_dev))
        return refuse(path, "running a program that lies sealed in a volume is not supported yet");
    bool changes_user = (status->st_mode & S_ISUID) != 0 &&
                        status->st_uid != (uid_t)overlay_raw_syscall6(SYS_geteuid, 0, 0, 0, 0, 0, 0);
    bool changes_group = (status->st_mode & S_ISGID) != 0 && (status->st_mode & S_IXGRP) != 0 &&
                         status->st_gid != (gid_t)overlay_raw_syscall6(SYS_getegid, 0, 0, 0, 0, 0, 0);
    if ((changes_user || changes_group) && !s_allow_static)
        return refuse(path, "a set-user-id or set-group-id program cannot run under Overlay: the loader would not preload "
                            "it. OVERLAY_ALLOW_STATIC=1 runs it all the same");
    return 0;
}

static long check_depth(int directory, const char *path, int flags, int depth)
{
    struct stat status;
    if (sys_fstatat(directory, path, &status, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) < 0 ||
        !S_ISREG(status.st_mode))
        return 0;
    long error = check_mode(path, &status);
    if (error < 0)
        return error;
    bool is_descriptor = path[0] == 0;
    long fd = is_descriptor ? directory : sys_openat(directory, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    union {
        Elf64_Ehdr elf;
        char text[256];
    } start;
    long size = sys_pread((int)fd, &start, sizeof start - 1, 0);
    if (size >= (long)sizeof start.elf && start.text[0] == 0x7f && text_starts(start.text + 1, "ELF"))
        error = check_elf((int)fd, path, &start.elf);
    if (!is_descriptor)
        sys_close((int)fd);
    if (error == 0 && size > 2 && start.text[0] == '#' && start.text[1] == '!' && depth < INTERPRETER_DEPTH) {
        start.text[size] = 0;
        const char *interpreter = interpreter_of(start.text);
        if (interpreter != NULL)
            return check_depth(AT_FDCWD, interpreter, 0, depth + 1);
    }
    return error;
}

long program_check(int directory, const char *path, int flags)
{
    struct stat status;
    long error = check_depth(directory, path, flags, 0);
    if (error < 0 || s_allow_static || environment_shim_is_reachable() ||
        sys_fstatat(directory, path, &status, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) < 0)
        return error;
    return refuse(path, "a program that cannot load Overlay's library, by its user's rights or after a chroot, cannot run: it "
                        "would see and write ciphertext. OVERLAY_ALLOW_STATIC=1 runs it all the same");
}
