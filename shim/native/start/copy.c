#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../log.h"
#include "../program_name.h"
#include "../syscalls.h"
#include "../text.h"
#include "start.h"

#define ENTRY_LIMIT 32
#define COPIER "overlay-copy"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

/* The shim's entry of LD_PRELOAD, and the program that lies beside it. False: we are not under Overlay. */
static bool find_shim(char preload[PATH_SIZE], char copier[PATH_SIZE])
{
    static const char variable[] = "LD_PRELOAD=", shim[] = "/liboverlay-shim.so";
    const char *list = start_value(variable);
    while (list != NULL && *list != 0) {
        size_t length = 0;
        while (list[length] != 0 && list[length] != ':' && list[length] != ' ')
            length++;
        size_t folder = length - (sizeof shim - 1);
        if (length >= sizeof shim && length < PATH_SIZE - sizeof variable && text_starts(list + folder, shim)) {
            text_copy(preload, variable, sizeof variable - 1);
            text_copy(preload + sizeof variable - 1, list, length);
            preload[sizeof variable - 1 + length] = 0;
            text_copy(copier, list, folder + 1);
            text_copy(copier + folder + 1, COPIER, sizeof COPIER);
            return true;
        }
        list += length + (list[length] != 0);
    }
    return false;
}

/* Ours only: the program's LD_LIBRARY_PATH and the like would lead the helper to the same sealed libraries. */
static void make_environment(const char *preload, const char *entries[ENTRY_LIMIT])
{
    int count = 0;
    entries[count++] = preload;
    for (char **entry = overlay_start.environment; *entry != NULL && count < ENTRY_LIMIT - 1; entry++)
        if (text_starts(*entry, "OVERLAY_") && !text_starts(*entry, PROGRAM_STARTED_AS) &&
            !text_starts(*entry, PROGRAM_LOADER))
            entries[count++] = *entry;
    entries[count] = NULL;
}

static void become_copier(int input, int output, const char *copier, const char *preload)
{
    const char *entries[ENTRY_LIMIT], *const arguments[] = {COPIER, NULL};
    make_environment(preload, entries);
    /* Both out of the way first: either may be 0 or 1. */
    long from = sys_fcntl(input, F_DUPFD, 3), to = sys_fcntl(output, F_DUPFD, 3);
    overlay_raw_syscall3(SYS_dup3, from, 0, 0);
    overlay_raw_syscall3(SYS_dup3, to, 1, 0);
    overlay_raw_syscall3(SYS_execve, (long)copier, (long)arguments, (long)entries);
    overlay_raw_syscall3(SYS_exit_group, 127, 0, 0);
}

static long create(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    long image = overlay_raw_syscall3(SYS_memfd_create, (long)"library", flags | MFD_EXEC, 0);
    return image == -EINVAL ? overlay_raw_syscall3(SYS_memfd_create, (long)"library", flags, 0) : image;
}

long start_copy(int fd, const char *path)
{
    char preload[PATH_SIZE], copier[PATH_SIZE];
    if (!find_shim(preload, copier))
        return -ELIBACC;
    long image = create();
    if (image < 0) {
        log_error(path, "no memory file for a library of a volume", image);
        return image;
    }
    /* Exit signal 0: nothing of the program's hears of it. */
    long child = overlay_raw_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0);
    if (child == 0)
        become_copier(fd, (int)image, copier, preload);
    int status = -1;
    if (child > 0)
        overlay_raw_syscall6(SYS_wait4, child, (long)&status, __WALL, 0, 0, 0);
    if (status == 0) {
        overlay_raw_syscall3(SYS_lseek, image, 0, SEEK_SET);
        sys_fcntl((int)image, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        return image;
    }
    log_line(path, "this library of a volume could not be read for the program that needs it");
    sys_close((int)image);
    return child < 0 ? child : -EIO;
}
