#include "volumes.h"

#include <errno.h>

#include "fdtable.h"
#include "own_stack.h"
#include "plain_path.h"
#include "syscalls.h"
#include "text.h"

LARGE struct volume overlay_volumes[VOLUME_LIMIT];
int overlay_volume_count;
bool overlay_volumes_are_rebased;

/* The working directory, asked once after each chdir. Seqlock-free: 0 unknown, 1 known; a racing chdir is a program's race. */
static LARGE char s_directory[PATH_SIZE];
static int s_directory_known;

static long add_volume(const char *path, size_t length)
{
    char text[PATH_SIZE];
    if (length == 0 || length >= PATH_SIZE || path[0] != '/')
        return -EINVAL;
    if (overlay_volume_count == VOLUME_LIMIT)
        return -E2BIG;
    text_copy(text, path, length);
    text[length] = 0;

    long fd = sys_openat(AT_FDCWD, text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    struct volume *volume = &overlay_volumes[overlay_volume_count];
    struct stat status;
    long error = sys_fstat((int)fd, &status);
    if (error == 0 && !volumes_path_of((int)fd, volume->root)) {
        /* No /proc: take the path as given, without trailing slashes. */
        while (length > 1 && text[length - 1] == '/')
            text[--length] = 0;
        text_copy(volume->root, text, length + 1);
    }
    sys_close((int)fd);
    if (error < 0)
        return error;
    volume->root_length = text_length(volume->root);
    volume->device = status.st_dev;
    volume->inode = status.st_ino;
    overlay_volume_count++;
    return 0;
}

long volumes_set(const char *list, const char **bad)
{
    while (*list != 0) {
        size_t length = 0;
        while (list[length] != 0 && list[length] != ':')
            length++;
        if (length > 0) {
            long error = add_volume(list, length);
            if (error < 0) {
                *bad = list;
                return error;
            }
        }
        list += length + (list[length] == ':');
    }
    return 0;
}

struct volume *volumes_containing(const char *path)
{
    for (int i = 0; i < overlay_volume_count; i++) {
        struct volume *volume = &overlay_volumes[i];
        if (volume->root_length == 1)
            return volume; /* the root directory itself is the volume */
        if (text_starts(path, volume->root) &&
            (path[volume->root_length] == 0 || path[volume->root_length] == '/'))
            return volume;
    }
    return NULL;
}

/* After a chroot /proc is often out of reach, but for the descriptor. */
static long read_link(const char *link, char *path, long size)
{
    static const char proc[] = "/proc/";
    return overlay_proc < 0 ? sys_readlink(link, path, size)
                            : overlay_raw_syscall6(SYS_readlinkat, overlay_proc, (long)(link + sizeof proc - 1), (long)path, size, 0, 0);
}

/* Its length; 0: there is none; `size` - 1: it may be longer. */
static long path_of(int fd, char *path, long size)
{
    /* The first is the first thread's, and has no descriptors any more once that has ended before others. The second is the longer way. */
    static const char *const places[] = {"/proc/self/fd/", "/proc/thread-self/fd/"};
    long length = -ENOENT;
    for (int i = 0; i < 2 && length == -ENOENT; i++) {
        char link[40];
        size_t at = text_length(places[i]);
        text_copy(link, places[i], at);
        link[at + text_decimal(link + at, (unsigned long)fd)] = 0;
        length = read_link(link, path, size - 1);
    }
    if (length <= 0 || path[0] != '/')
        return 0;
    path[length] = 0;
    return length;
}

bool volumes_path_of(int fd, char path[PATH_SIZE])
{
    return path_of(fd, path, PATH_SIZE) != 0;
}

static bool directory_path(int directory, char path[PATH_SIZE])
{
    if (directory != AT_FDCWD)
        return volumes_path_of(directory, path);
    if (__atomic_load_n(&s_directory_known, __ATOMIC_ACQUIRE) != 0) {
        text_copy(path, s_directory, text_length(s_directory) + 1);
        return true;
    }
    long length = sys_getcwd(path, PATH_SIZE);
    if (length <= 1 || path[0] != '/')
        return false; /* deleted, or outside of our root: "(unreachable)" */
    if (!is_borrowed_memory()) {
        text_copy(s_directory, path, (size_t)length);
        __atomic_store_n(&s_directory_known, 1, __ATOMIC_RELEASE);
    }
    return true;
}

void volumes_forget_directory(void)
{
    __atomic_store_n(&s_directory_known, 0, __ATOMIC_RELEASE);
}

bool volumes_absolute(int directory, const char *path, char absolute[PATH_SIZE])
{
    size_t length = 0;
    if (path[0] != '/') {
        if (!directory_path(directory, absolute))
            return false;
        length = text_length(absolute);
        if (length == 1)
            length = 0;
    }
    while (*path != 0) {
        while (*path == '/')
            path++;
        size_t part = 0;
        while (path[part] != 0 && path[part] != '/')
            part++;
        if (part == 0)
            break;
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length > 0 && absolute[--length] != '/')
                ;
        } else if (!(part == 1 && path[0] == '.')) {
            if (length + 1 + part >= PATH_SIZE)
                return false;
            absolute[length++] = '/';
            text_copy(absolute + length, path, part);
            length += part;
        }
        path += part;
    }
    if (length == 0)
        absolute[length++] = '/';
    absolute[length] = 0;
    return true;
}

/* A relative path without ".." below a directory that is inside stays inside; no text has to be built. */
static bool climbs(const char *path)
{
    for (; *path != 0; path++)
        if (path[0] == '.' && path[1] == '.' && (path[2] == '/' || path[2] == 0))
            return true;
    return false;
}

/* The volume that contains directory/path, which is put together nowhere. */
static struct volume *volume_containing_joined(const char *directory, const char *path)
{
    for (int i = 0; i < overlay_volume_count; i++) {
        const char *root = overlay_volumes[i].root, *there = directory[1] == 0 ? "" : directory;
        if (overlay_volumes[i].root_length == 1)
            return &overlay_volumes[i];
        for (; *there != 0 && *there == *root; there++)
            root++;
        if (*there == 0 && *root == '/') {
            root++;
            for (there = path; *there != 0 && *there == *root; there++)
                root++;
        }
        if (*root == 0 && (*there == 0 || *there == '/'))
            return &overlay_volumes[i];
    }
    return NULL;
}

static long locate_by_text(const long *arguments)
{
    int directory = (int)arguments[0];
    const char *path = (const char *)arguments[1];
    char absolute[PATH_SIZE];
    return volumes_absolute(directory, path, absolute) ? (long)volumes_containing(absolute) : 0;
}

static inline struct volume *locate(int directory, const char *path, bool is_looked_at)
{
    if (path[0] == '/' && (is_looked_at || is_plain_path(path)))
        return volumes_containing(path);
    if (path[0] != '/' && directory == AT_FDCWD && (is_looked_at || is_plain_path(path)) &&
        __atomic_load_n(&s_directory_known, __ATOMIC_ACQUIRE) != 0)
        return volume_containing_joined(s_directory, path);
    if (path[0] != '/' && directory != AT_FDCWD && !climbs(path)) {
        long state = fd_classify(directory);
        if (state == FD_FOREIGN)
            return NULL;
        if (state == FD_INSIDE && overlay_volume_count == 1 && !overlay_volumes_are_rebased)
            return &overlay_volumes[0];
    }
    return (struct volume *)ON_OWN_STACK(locate_by_text, directory, (long)path);
}

struct volume *volumes_locate(int directory, const char *path)
{
    return locate(directory, path, false);
}

struct volume *volumes_locate_plain(int directory, const char *path)
{
    return locate(directory, path, true);
}

static long hides_by_text(const long *arguments)
{
    int directory = (int)arguments[0];
    const char *path = (const char *)arguments[1];
    char absolute[PATH_SIZE];
    if (!volumes_absolute(directory, path, absolute))
        return false;
    struct volume *volume = volumes_containing(absolute);
    if (volume == NULL)
        return false;
    const char *rest = absolute + (volume->root_length == 1 ? 0 : volume->root_length);
    return text_starts(rest, "/.overlay") && (rest[9] == 0 || rest[9] == '/');
}

bool volumes_hides(int directory, const char *path)
{
    /* A cheap look for the component first: nearly no path has it. */
    const char *c = text_find(path, '.');
    for (; *c != 0; c = text_find(c + 1, '.'))
        if (c[1] == 'o' && (c == path || c[-1] == '/') && text_starts(c, ".overlay") && (c[8] == 0 || c[8] == '/'))
            break;
    return *c != 0 && ON_OWN_STACK(hides_by_text, directory, (long)path);
}

static long locate_descriptor(const long *arguments)
{
    int fd = (int)arguments[0];
    char path[PATH_SIZE];
    return volumes_path_of(fd, path) ? (long)volumes_containing(path) : 0;
}

static bool leads_to(const char *path, const struct volume *volume)
{
    struct stat status;
    return sys_fstatat(AT_FDCWD, path, &status, 0) == 0 && status.st_dev == volume->device &&
           status.st_ino == volume->inode;
}

/* Few paths are so long that they would need another stack, and with it two system calls more. */
#define SHORT_PATH 256

struct volume *volumes_of_descriptor(int fd)
{
    char path[SHORT_PATH];
    long length = path_of(fd, path, sizeof path);
    if (length == 0)
        return volumes_containing("/"); /* no /proc: what can only be inside is inside */
    if (length < SHORT_PATH - 1)
        return volumes_containing(path);
    return (struct volume *)ON_OWN_STACK(locate_descriptor, fd);
}

static bool is_any_moved(void)
{
    for (int i = 0; i < overlay_volume_count; i++)
        if (!overlay_volumes[i].is_out_of_reach && !leads_to(overlay_volumes[i].root, &overlay_volumes[i]))
            return true;
    return false;
}

static long moved_over(const long *arguments)
{
    int fd = (int)arguments[0];
    char path[PATH_SIZE];
    for (int i = 0; i < overlay_volume_count; i++) {
        const struct volume *volume = &overlay_volumes[i];
        if (volume->is_out_of_reach || leads_to(volume->root, volume) || !volumes_path_of(fd, path))
            continue;
        for (size_t end = text_length(path); end > 1; end--) {
            if (path[end] != '/')
                continue;
            path[end] = 0;
            if (leads_to(path, volume))
                return (long)volume;
        }
    }
    return 0;
}

const struct volume *volumes_moved_over(int fd)
{
    return is_any_moved() ? (const struct volume *)ON_OWN_STACK(moved_over, fd) : NULL;
}

bool volumes_is_root(uint64_t device, uint64_t inode)
{
    for (int i = 0; i < overlay_volume_count; i++)
        if (overlay_volumes[i].inode == inode && overlay_volumes[i].device == device)
            return true;
    return false;
}

/* Finds "blockSize":N in a volume's config.json; 1 where it is not there (its sizes are then asked from the headers). */
static long read_block_size(const long *arguments)
{
    const struct volume *volume = (const struct volume *)arguments[0];
    static const char name[] = "/.overlay/config.json";
    char path[PATH_SIZE + sizeof name], text[1024];
    text_copy(path, volume->root, volume->root_length);
    text_copy(path + volume->root_length, name, sizeof name);
    long fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 1;
    long size = sys_pread((int)fd, text, sizeof text - 1, 0);
    sys_close((int)fd);
    if (size <= 0)
        return 1;
    text[size] = 0;
    for (const char *c = text; *c != 0; c++) {
        if (!text_starts(c, "\"blockSize\""))
            continue;
        uint32_t value = 0;
        for (c += 11; *c == ':' || *c == ' '; c++)
            ;
        for (; *c >= '0' && *c <= '9'; c++)
            value = value * 10 + (uint32_t)(*c - '0');
        return value >= 4096 && value <= 1 << 20 && (value & (value - 1)) == 0 ? value : 1;
    }
    return 1;
}

uint32_t volumes_block_size(void)
{
    uint32_t common = 0;
    for (int i = 0; i < overlay_volume_count; i++) {
        struct volume *volume = &overlay_volumes[i];
        if (volume->block_size == 0)
            volume->block_size = (uint32_t)ON_OWN_STACK(read_block_size, (long)volume);
        if (volume->block_size == 1 || (common != 0 && common != volume->block_size))
            return 0;
        common = volume->block_size;
    }
    return common;
}
