/* Names: open, close, dup, rename, link, unlink, directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "world.h"

static void opening(void)
{
    static const int modes[] = {O_RDONLY, O_RDWR, O_RDWR, O_WRONLY};
    static const struct {
        int flag, in;
    } more[] = {{O_CREAT, 2}, {O_TRUNC, 5}, {O_APPEND, 5}, {O_EXCL, 12}, {O_NOFOLLOW, 20}, {O_DIRECT, 25}, {O_SYNC, 30}, {O_DSYNC, 30}, {O_NOATIME, 20},
        {O_NONBLOCK, 25}, {O_PATH, 25}, {O_DIRECTORY, 40}, {O_CLOEXEC, 10}, {O_NOCTTY, 20}};
    int flags = modes[below(4)];
    if (one_in(40))
        flags = 3;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (one_in((unsigned)more[i].in) && (more[i].flag != O_DIRECT || getenv("RANDOM_DIRECT") != NULL))
            flags |= more[i].flag;
    const char *name = any_name();
    if (one_in(20)) {
        flags = (flags & ~(O_CREAT | O_DIRECTORY | O_PATH)) | O_TMPFILE;
        name = any_directory();
    }
    unsigned mode = odd_mode();
    char again[64];
    if (one_in(25)) {
        snprintf(again, sizeof again, "/proc/self/fd/%d", any_fd());
        name = again;
        flags &= ~O_NOFOLLOW;
    }
    if (one_in(20))
        syscall(SYS_umask, below(4) * 022);
    say("open(%s, %o, %o)", name, flags, mode);
    int fd = open(name, flags, mode);
    answer(fd);
    if (fd >= 0) {
        keep_fd(fd);
        say("  flags %o", fcntl(fd, F_GETFL));
        say_status(fd, "", AT_EMPTY_PATH);
    }
}

static void closing(void)
{
    int slot = (int)below(SLOTS);
    if (world.fds[slot] < 0)
        return;
    say("close(%d)", world.fds[slot]);
    answer(close(world.fds[slot]));
    world.fds[slot] = -1;
}

static void duplicating(int fd)
{
    switch (below(4)) {
        case 0: {
            say("dup(%d)", fd);
            int copy = dup(fd);
            answer(copy);
            keep_fd(copy);
            break;
        }
        case 1: {
            int slot = (int)below(SLOTS), to = world.fds[slot];
            if (to < 0)
                return;
            say("dup2(%d, %d)", fd, to);
            answer(dup2(fd, to));
            break;
        }
        case 2: {
            static const int flags[] = {0, O_APPEND, O_NONBLOCK, O_NOATIME, O_APPEND | O_NONBLOCK};
            int to = flags[below(5)];
            say("F_SETFL(%d, %o)", fd, to);
            answer(fcntl(fd, F_SETFL, to));
            break;
        }
        default:
            say("F_GETFL(%d)", fd);
            answer(fcntl(fd, F_GETFL));
    }
}

static void linking(int fd)
{
    const char *from = any_name(), *to = any_name();
    char path[64];
    switch (below(8)) {
        case 0:
        case 1:
            say("rename(%s, %s)", from, to);
            answer(rename(from, to));
            break;
        case 2: {
            static const unsigned flags[] = {RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE};
            unsigned which = below(3);
            say("renameat2(%s, %s, %u)", from, to, flags[which]);
            answer(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags[which]));
            break;
        }
        case 3:
            say("link(%s, %s)", from, to);
            answer(link(from, to));
            break;
        case 4:
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            say("linkat(%s, %s)", path, to);
            answer(linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
            break;
        case 5:
            say("linkat(%d, %s)", fd, to);
            answer(linkat(fd, "", AT_FDCWD, to, AT_EMPTY_PATH));
            break;
        case 6:
            say("symlink(%s, %s)", from, to);
            answer(symlink(from, to));
            break;
        default:
            say("unlink(%s)", from);
            answer(unlink(from));
    }
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void listing(void)
{
    const char *name = any_directory();
    struct dirent **entries;
    say("list(%s)", name);
    int count = scandir(name, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        say(" %s:%d", entries[i]->d_name, entries[i]->d_type);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    answer(count);
}

static void directories(void)
{
    static const unsigned modes[] = {0777, 0755, 01777, 02775, 0700, 0500, 03777};
    const char *name = one_in(3) ? any_name() : any_directory();
    switch (below(5)) {
        case 0: {
            unsigned mode = modes[below(7)];
            say("mkdir(%s, %o)", name, mode);
            answer(mkdir(name, mode));
            break;
        }
        case 1:
            say("rmdir(%s)", name);
            answer(rmdir(name));
            break;
        case 2: {
            char path[PATH_MAX];
            say("realpath(%s)", name);
            char *found = realpath(name, path);
            say(" %s", found == NULL ? "" : found);
            answer(found == NULL ? -1 : 0);
            break;
        }
        case 3: {
            char path[PATH_MAX];
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", any_fd());
            const char *which = one_in(2) ? link : any_name();
            say("readlink(%s)", which);
            ssize_t length = readlink(which, path, sizeof path - 1);
            path[length < 0 ? 0 : length] = 0;
            if (strstr(path, "/#") == NULL) /* an unnamed file's number */
                say(" %s", path);
            answer(length < 0 ? length : 0);
            break;
        }
        default: listing();
    }
}

void step_of_names(void)
{
    switch (below(14)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5: opening(); break;
        case 6:
        case 7: closing(); break;
        case 8: duplicating(any_fd()); break;
        case 9:
        case 10: linking(any_fd()); break;
        case 11: {
            const char *name = any_name();
            int follow = one_in(2) ? AT_SYMLINK_NOFOLLOW : 0;
            say("stat(%s, %x)", name, follow);
            say_status(AT_FDCWD, name, follow);
            break;
        }
        default: directories();
    }
}
