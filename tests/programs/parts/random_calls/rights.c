/* Rights: modes, owners, users, times, extended attributes, access. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "world.h"

static void modes(int fd)
{
    const char *name = any_name();
    unsigned mode = odd_mode();
    struct stat status;
    int is_by_name = one_in(2);
    if ((is_by_name ? stat(name, &status) : fstat(fd, &status)) == 0 && S_ISDIR(status.st_mode)) {
        static const unsigned of_directories[] = {0777, 01777, 02777, 0755, 0300, 0500, 03775};
        mode = of_directories[below(7)];
    }
    if (!is_by_name) {
        say("fchmod(%d, %o)", fd, mode);
        answer(fchmod(fd, mode));
    } else {
        say("chmod(%s, %o)", name, mode);
        answer(chmod(name, mode));
    }
}

static void owners(int fd)
{
    static const int ids[] = {-1, 0, 1001, 1002, 65534};
    int user = ids[below(5)], group = ids[below(5)];
    const char *name = any_name();
    if (one_in(2)) {
        say("fchown(%d, %d, %d)", fd, user, group);
        answer(fchown(fd, (uid_t)user, (gid_t)group));
    } else {
        say("chown(%s, %d, %d)", name, user, group);
        answer(chown(name, (uid_t)user, (gid_t)group));
    }
}

/* The saved user stays root, if it is. */
static void users(void)
{
    static const unsigned ids[] = {0, 1001, 1001, 1002};
    unsigned user = ids[below(4)];
    uid_t real, effective, saved;
    getresuid(&real, &effective, &saved);
    if (saved != 0)
        return;
    world.has_changed_user = 1;
    say("become(%u)", user);
    /* The real ones, too: whose children are preloaded else? */
    answer(setresuid((uid_t)-1, 0, (uid_t)-1) | setresgid(user, user, 0) | setresuid(user, user, 0));
}

static void times(int fd)
{
    struct timespec to[2] = {{below(1000000), below(1000)}, {below(1000000), below(1000)}};
    if (one_in(3))
        to[1].tv_nsec = one_in(2) ? UTIME_NOW : UTIME_OMIT;
    if (one_in(3))
        to[0].tv_nsec = one_in(2) ? UTIME_NOW : UTIME_OMIT;
    const char *name = any_name();
    if (one_in(2)) {
        say("futimens(%d, %lld)", fd, (long long)to[1].tv_nsec);
        answer(futimens(fd, one_in(3) ? NULL : to));
    } else {
        say("utimensat(%s, %lld)", name, (long long)to[1].tv_nsec);
        answer(utimensat(AT_FDCWD, name, to, one_in(3) ? AT_SYMLINK_NOFOLLOW : 0));
    }
}

static void attributes(int fd)
{
    static const char *const names[] = {"user.one", "user.two", "trusted.x", "user.three", "system.posix_acl_access"};
    /* user::rw-, user:1002:rw-, group::r--, mask::rw-, other::--- */
    static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 6, 0, 0xea, 3, 0, 0, 4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
        0x10, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    unsigned which = below(5);
    const char *attribute = names[which], *name = any_name();
    const void *value = which == 4 ? (const void *)acl : "value";
    size_t size = which == 4 ? sizeof acl : 5;
    unsigned char found[256];
    switch (below(4)) {
        case 0:
            say("fsetxattr(%d, %s)", fd, attribute);
            answer(fsetxattr(fd, attribute, value, size, 0));
            break;
        case 1:
            say("setxattr(%s, %s)", name, attribute);
            answer(setxattr(name, attribute, value, size, one_in(4) ? XATTR_CREATE : 0));
            break;
        case 2: {
            say("getxattr(%s, %s)", name, attribute);
            ssize_t length = getxattr(name, attribute, found, sizeof found);
            say(" %016llx", length > 0 ? (unsigned long long)digest(found, (size_t)length) : 0ULL);
            answer(length);
            break;
        }
        default:
            say("removexattr(%s, %s)", name, attribute);
            answer(removexattr(name, attribute));
    }
}

void step_of_rights(void)
{
    int fd = any_fd();
    switch (below(8)) {
        case 0:
        case 1: modes(fd); break;
        case 2: owners(fd); break;
        case 3: users(); break;
        case 4: times(fd); break;
        case 5: attributes(fd); break;
        case 6: {
            const char *name = any_name();
            int mode = (int)below(8), flags = one_in(2) ? AT_EACCESS : 0;
            say("faccessat(%s, %d, %x)", name, mode, flags);
            answer(one_in(2) ? access(name, mode) : syscall(SYS_faccessat2, AT_FDCWD, name, mode, flags));
            break;
        }
        default:
            say("fstat(%d)", fd);
            say_status(fd, "", AT_EMPTY_PATH);
    }
}
