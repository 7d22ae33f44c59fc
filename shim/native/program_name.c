#include "program_name.h"

#include <elf.h>
#include <linux/prctl.h>

#include "syscalls.h"
#include "text.h"
#include "volumes.h"

#define IMAGE_NAME_LIMIT 249 /* the kernel's, for memfd_create */

static const char s_prefix[] = "/memfd:", s_suffix[] = " (deleted)";

/* This process's own path where it is too long for the image's name. */
static char s_own_path[PATH_SIZE];

const char *program_name_for_image(const char *path)
{
    return text_length(path) <= IMAGE_NAME_LIMIT ? path : PROGRAM_NAME_UNKNOWN;
}

/* "/memfd:NAME (deleted)" -> NAME */
static bool image_name(char link[PATH_SIZE], long length, char **name)
{
    const long prefix = sizeof s_prefix - 1, suffix = sizeof s_suffix - 1;
    if (length <= prefix + suffix)
        return false;
    link[length] = 0;
    *name = link + prefix;
    if (!text_starts(link, s_prefix) || !text_same(link + length - suffix, s_suffix))
        return false;
    link[length - suffix] = 0;
    return true;
}

static const char *last_part(const char *path)
{
    const char *part = path;
    for (const char *c = path; *c != 0; c++)
        if (*c == '/')
            part = c + 1;
    return part;
}

static void set_execfn(char **end_of_environment, const char *name)
{
    for (Elf64_auxv_t *entry = (Elf64_auxv_t *)(end_of_environment + 1); entry->a_type != AT_NULL; entry++)
        if (entry->a_type == AT_EXECFN)
            entry->a_un.a_val = (uint64_t)name;
}

void program_name_adopt(char **envp)
{
    const char *name = NULL;
    char **kept = envp, **entry = envp;
    for (; *entry != NULL; entry++) {
        if (text_starts(*entry, PROGRAM_STARTED_AS))
            name = *entry + sizeof PROGRAM_STARTED_AS - 1;
        else
            *kept++ = *entry;
    }
    *kept = NULL;
    if (name == NULL)
        return;
    set_execfn(entry, name);

    char link[PATH_SIZE], *path;
    const char *short_name = last_part(name);
    if (image_name(link, sys_readlink("/proc/self/exe", link, sizeof link - 1), &path)) {
        if (path[0] == '/' && text_starts(name, "/dev/fd/"))
            short_name = last_part(path);
        long fd = path[0] == '/' ? -1 : sys_openat(AT_FDCWD, name, O_PATH | O_CLOEXEC, 0);
        if (fd >= 0) {
            if (!volumes_path_of((int)fd, s_own_path))
                s_own_path[0] = 0;
            sys_close((int)fd);
        }
    }
    overlay_raw_syscall6(SYS_prctl, PR_SET_NAME, (long)short_name, 0, 0, 0, 0);
}

/* /proc/PID/exe, /proc/self/exe, /proc/PID/task/TID/exe: no need to be exact, since the link's target tells. */
static bool looks_like_link(const char *path)
{
    size_t length = text_length(path);
    return length >= 3 && text_same(path + length - 3, "exe") && (length == 3 || path[length - 4] == '/') &&
           (path[0] != '/' || text_starts(path, "/proc/"));
}

bool program_name_of_link(int directory, const char *path, char target[PATH_SIZE])
{
    char *name;
    if (!looks_like_link(path))
        return false;
    long length = overlay_raw_syscall6(SYS_readlinkat, directory, (long)path, (long)target, PATH_SIZE - 1, 0, 0);
    if (!image_name(target, length, &name))
        return false;
    const char *real = name[0] == '/' ? name : s_own_path;
    bool is_known = name[0] == '/' ||
                    (text_same(name, PROGRAM_NAME_UNKNOWN) && s_own_path[0] != 0 && text_same(path, "/proc/self/exe"));
    if (is_known)
        text_copy(target, real, text_length(real) + 1);
    return is_known;
}
