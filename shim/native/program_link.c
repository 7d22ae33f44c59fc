/* /proc/PID/exe of programs that were executed from memory. Also linked into overlay-start: no state but what is here. */
#include "program_name.h"
#include "syscalls.h"
#include "text.h"

#define IMAGE_NAME_LIMIT 249 /* the kernel's, for memfd_create */

static const char s_prefix[] = "/memfd:", s_suffix[] = " (deleted)";

/* This process's own path where it is too long for the image's name. */
static LARGE char s_own_path[PATH_SIZE];

const char *program_name_for_image(const char *path)
{
    return text_length(path) <= IMAGE_NAME_LIMIT ? path : PROGRAM_NAME_UNKNOWN;
}

char *program_link_image(char target[PATH_SIZE], long length)
{
    const long prefix = sizeof s_prefix - 1, suffix = sizeof s_suffix - 1;
    if (length <= prefix + suffix)
        return NULL;
    target[length] = 0;
    if (!text_starts(target, s_prefix) || !text_same(target + length - suffix, s_suffix))
        return NULL;
    target[length - suffix] = 0;
    return target + prefix;
}

void program_link_set_own(const char *started_as)
{
    char target[PATH_SIZE], link[40] = "/proc/self/fd/";
    const char *name = program_link_image(target, sys_readlink("/proc/self/exe", target, sizeof target - 1));
    if (started_as == NULL || name == NULL || !text_same(name, PROGRAM_NAME_UNKNOWN))
        return;
    long fd = sys_openat(AT_FDCWD, started_as, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    link[14 + text_decimal(link + 14, (unsigned long)fd)] = 0;
    long length = sys_readlink(link, s_own_path, sizeof s_own_path - 1);
    s_own_path[length < 0 ? 0 : length] = 0;
    sys_close((int)fd);
}

/* /proc/PID/exe, /proc/self/exe, /proc/PID/task/TID/exe: no need to be exact, since the link's target tells. */
bool program_looks_like_link(const char *path)
{
    size_t length = text_length(path);
    return length >= 3 && text_same(path + length - 3, "exe") && (length == 3 || path[length - 4] == '/') &&
           (path[0] != '/' || text_starts(path, "/proc/"));
}

bool program_name_of_link(int directory, const char *path, char target[PATH_SIZE])
{
    long length = overlay_raw_syscall6(SYS_readlinkat, directory, (long)path, (long)target, PATH_SIZE - 1, 0, 0);
    const char *name = program_link_image(target, length);
    if (name != NULL && name[0] != '/')
        name = text_same(name, PROGRAM_NAME_UNKNOWN) && text_same(path, "/proc/self/exe") ? s_own_path : NULL;
    if (name == NULL || name[0] == 0)
        return false;
    text_copy(target, name, text_length(name) + 1);
    return true;
}
