/* What can be seen of a file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "world.h"

/* When was it changed, and is that later than at the last look? So the times themselves need not be the same. */
#define KNOWN 64
static struct {
    uint64_t identity;
    struct statx_timestamp changed;
} s_known[KNOWN];

/* Inodes come again, with the time of the same tick of the clock: their generation tells them apart. */
static uint64_t identity_of(int directory, const char *path, int flags)
{
    struct {
        struct file_handle head;
        unsigned char space[MAX_HANDLE_SZ];
    } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
    int mount, follow = (flags & AT_SYMLINK_NOFOLLOW) == 0 ? AT_SYMLINK_FOLLOW : 0;
    if (name_to_handle_at(directory, path, &handle.head, &mount, (flags & AT_EMPTY_PATH) | follow) < 0)
        return 1;
    return digest(handle.head.f_handle, handle.head.handle_bytes) | 1;
}

static const char *since_last_look(const struct statx *status, uint64_t identity)
{
    unsigned at = (unsigned)(identity % KNOWN);
    for (unsigned i = 0; i < KNOWN && s_known[at].identity != 0 && s_known[at].identity != identity; i++)
        at = (at + 1) % KNOWN;
    if (s_known[at].identity != identity) {
        s_known[at].identity = identity;
        s_known[at].changed = status->stx_mtime;
        return status->stx_mtime.tv_sec < 1000000000 ? "old" : "new";
    }
    int order = status->stx_mtime.tv_sec != s_known[at].changed.tv_sec ? (status->stx_mtime.tv_sec > s_known[at].changed.tv_sec ? 1 : -1)
        : status->stx_mtime.tv_nsec != s_known[at].changed.tv_nsec     ? (status->stx_mtime.tv_nsec > s_known[at].changed.tv_nsec ? 1 : -1)
                                                                        : 0;
    s_known[at].changed = status->stx_mtime;
    return order > 0 ? "later" : order < 0 ? "earlier" : "same";
}

unsigned shown_mode(unsigned mode) { return world.has_changed_user && S_ISREG(mode) ? mode & ~06000U : mode; }

void say_status(int directory, const char *path, int flags)
{
    static const unsigned masks[] = {STATX_BASIC_STATS, STATX_SIZE | STATX_MTIME, STATX_MODE, STATX_BASIC_STATS | STATX_BTIME | 0x2000, STATX_ALL};
    unsigned mask = masks[below(sizeof masks / sizeof *masks)];
    struct statx status;
    memset(&status, 0xee, sizeof status);
    int result = statx(directory, path, flags, mask, &status);
    if (result < 0) {
        answer(result);
        return;
    }
    int is_directory = S_ISDIR(status.stx_mode);
    say(" = %06o %u:%u links %u size %lld %s", shown_mode(status.stx_mode), status.stx_uid, status.stx_gid, is_directory ? 0 : status.stx_nlink,
        is_directory ? -1LL : (long long)status.stx_size, is_directory || (mask & STATX_MTIME) == 0 || world.has_changed_user ? "" : since_last_look(&status, identity_of(directory, path, flags)));
    say(" asked %x got %x attributes %llx of %llx block %u direct %u %u\n", mask, status.stx_mask, (unsigned long long)status.stx_attributes,
        (unsigned long long)status.stx_attributes_mask, status.stx_blksize, status.stx_dio_mem_align, status.stx_dio_offset_align);
}

void say_content(const char *path)
{
    struct stat status;
    say("  %s:", path);
    if (lstat(path, &status) < 0) {
        answer(-1);
        return;
    }
    say(" %06o %u:%u links %d", shown_mode(status.st_mode), status.st_uid, status.st_gid, S_ISDIR(status.st_mode) ? 0 : (int)status.st_nlink);
    char names[1024];
    ssize_t length = llistxattr(path, names, sizeof names);
    say(" attributes %016llx", length > 0 ? (unsigned long long)digest(names, (size_t)length) : (unsigned long long)length);
    if (!S_ISREG(status.st_mode)) {
        say("\n");
        return;
    }
    say(" size %lld", (long long)status.st_size);
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0) {
        answer(-1);
        return;
    }
    uint64_t hash = 0;
    ssize_t count;
    while ((count = read(fd, buffer, LARGEST)) > 0)
        hash = hash * 31 + digest(buffer, (size_t)count);
    close(fd);
    say(" data %016llx", (unsigned long long)hash);
    answer(count);
}
