/*
 * chroot: the volumes' paths change with the root, and again where a program leaves it (rpm --root does: fchdir to a directory that it kept
 * open, then chroot(".")). There the new root has no path any more, and /proc may be out of reach: it is known by its inode.
 */
#include "engine_call.h"
#include "fdtable.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

/* The root that the program started with, and the volumes' paths from there. */
static uint64_t s_first_device, s_first_inode;
static LARGE struct {
    size_t length;
    char path[PATH_SIZE];
} s_first_roots[VOLUME_LIMIT];

int overlay_proc = -1;

static void keep_proc(void)
{
    long fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    long high = sys_fcntl((int)fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
    if (high >= 0) {
        fd_reserve((int)high, 1);
        __atomic_store_n(&overlay_proc, (int)high, __ATOMIC_RELEASE);
    }
    sys_close((int)fd);
}

void volumes_keep_roots(void)
{
    struct stat status;
    if (overlay_proc < 0)
        keep_proc();
    if (s_first_inode != 0 || sys_fstatat(AT_FDCWD, "/", &status, 0) != 0)
        return;
    s_first_device = status.st_dev;
    s_first_inode = status.st_ino;
    for (int i = 0; i < overlay_volume_count; i++) {
        s_first_roots[i].length = overlay_volumes[i].root_length;
        text_copy(s_first_roots[i].path, overlay_volumes[i].root, overlay_volumes[i].root_length + 1);
    }
}

static bool is_first_root(void)
{
    struct stat status;
    return sys_fstatat(AT_FDCWD, "/", &status, 0) == 0 && status.st_dev == s_first_device && status.st_ino == s_first_inode;
}

static void restore(void)
{
    for (int i = 0; i < overlay_volume_count; i++) {
        overlay_volumes[i].is_out_of_reach = false;
        overlay_volumes[i].root_length = s_first_roots[i].length;
        text_copy(overlay_volumes[i].root, s_first_roots[i].path, s_first_roots[i].length + 1);
    }
}

void volumes_rebase(const char *root)
{
    size_t length = text_length(root);
    if (is_first_root()) {
        restore();
        return;
    }
    if (length <= 1)
        return;
    overlay_volumes_are_rebased = true;
    for (int i = 0; i < overlay_volume_count; i++) {
        struct volume *volume = &overlay_volumes[i];
        if (volume->root_length == 1 || volume->is_out_of_reach)
            continue; /* all that could be seen was inside, and so is all that can be seen from further in; or nothing was, and is */
        if (text_starts(volume->root, root) && volume->root[length] == '/') {
            text_copy(volume->root, volume->root + length, volume->root_length - length + 1);
            volume->root_length -= length;
        } else if (text_same(volume->root, root) ||
                   (text_starts(root, volume->root) && root[volume->root_length] == '/')) {
            /* The new root is the volume's, or lies in it: all that can be seen is inside. */
            text_copy(volume->root, "/", 2);
            volume->root_length = 1;
        } else {
            volume->is_out_of_reach = true;
        }
    }
}
