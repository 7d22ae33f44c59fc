/* watching DIRECTORY: what a watcher of a directory or file must be told of (inotify, fanotify), and leases. The engine's calls make more of it. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "say.h"

/* Kinds that have come since the last time, in the order of their bits: how often is another matter. */
static void told(const char *what, int watcher, unsigned wanted)
{
    static const struct {
        unsigned bit;
        const char *name;
    } kinds[] = {{IN_ACCESS, "access"}, {IN_MODIFY, "modify"}, {IN_ATTRIB, "attributes"}, {IN_CLOSE_WRITE, "close-write"},
                 {IN_CLOSE_NOWRITE, "close"}, {IN_OPEN, "open"}, {IN_MOVED_FROM, "from"}, {IN_MOVED_TO, "to"}, {IN_CREATE, "create"},
                 {IN_DELETE, "delete"}, {IN_DELETE_SELF, "deleted"}};
    char buffer[20000] __attribute__((aligned(8)));
    unsigned seen = 0;
    for (long count; (count = read(watcher, buffer, sizeof buffer)) > 0;)
        for (long at = 0; at < count; at += (long)(sizeof(struct inotify_event) + ((struct inotify_event *)(buffer + at))->len))
            seen |= ((struct inotify_event *)(buffer + at))->mask;
    printf("%s:", what);
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((seen & wanted & kinds[i].bit) != 0)
            printf(" %s", kinds[i].name);
    printf("\n");
}

#define TOLD(call, wanted)                                                                                                     \
    do {                                                                                                               \
        long result = (long)(call);                                                                                    \
        if (result < 0)                                                                                                \
            perror(#call);                                                                                             \
        told(#call, watcher, wanted);                                                                                      \
    } while (0)

static void events(void)
{
    static char buffer[100000];
    int watcher = inotify_init1(IN_NONBLOCK), fd = -1;
    SAY(inotify_add_watch(watcher, ".", IN_ALL_EVENTS));
    TOLD(fd = open("watched", O_RDWR | O_CREAT, 0600), IN_OPEN | IN_CREATE);
    TOLD(write(fd, buffer, 10), IN_MODIFY);
    TOLD(write(fd, buffer, sizeof buffer), IN_MODIFY);
    TOLD(ftruncate(fd, 10), IN_MODIFY);
    TOLD(fchmod(fd, 0640), IN_ATTRIB);

    TOLD(close(fd), IN_CLOSE);
    TOLD(fd = open("watched", O_RDONLY), IN_OPEN);

    TOLD(close(fd), IN_CLOSE);
    TOLD(fd = open("watched", O_WRONLY | O_APPEND), IN_OPEN);
    TOLD(write(fd, buffer, 5), IN_MODIFY);
    TOLD(close(fd), IN_CLOSE);
    TOLD(rename("watched", "moved"), IN_MOVE);
    TOLD(truncate("moved", 3), IN_MODIFY);
    TOLD(unlink("moved"), IN_DELETE);
    close(watcher);
}

static void groups(void)
{
    int group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
    if (group < 0)
        return;
    int fd = open("marked", O_RDWR | O_CREAT, 0600);
    SAY(fanotify_mark(group, FAN_MARK_ADD, FAN_MODIFY | FAN_CLOSE_WRITE, AT_FDCWD, "marked"));
    SAY(write(fd, "content that is told of", 23));
    char buffer[4096] __attribute__((aligned(8))), text[100] = "";
    long count = read(group, buffer, sizeof buffer);
    const struct fanotify_event_metadata *event = (const struct fanotify_event_metadata *)buffer;
    printf("told of a change: %d\n", count > 0 && (event->mask & FAN_MODIFY) != 0);
    /* The descriptor that the event brings is the kernel's making: it must read as any other. */
    printf("read through it: %ld %s\n", (long)pread(event->fd, text, sizeof text - 1, 0), text);
    close(event->fd);
    close(fd);
    close(group);
}

static void leases(void)
{
    int fd = open("leased", O_RDWR | O_CREAT, 0600);
    SAY(write(fd, "leased", 6));
    SAY(fcntl(fd, F_GETLEASE));
    SAY(fcntl(fd, F_SETLEASE, F_WRLCK));
    SAY(fcntl(fd, F_GETLEASE) == F_WRLCK);
    SAY(fcntl(fd, F_SETLEASE, F_UNLCK));
    close(fd);
    fd = open("leased", O_RDONLY);
    SAY(fcntl(fd, F_SETLEASE, F_RDLCK));
    SAY(fcntl(fd, F_GETLEASE) == F_RDLCK);
    char text[10];
    SAY(read(fd, text, 10));
    SAY(fcntl(fd, F_SETLEASE, F_UNLCK));
    SAY(fcntl(fd, F_SETLEASE, 99));
    SAY(fcntl(fd, F_SETSIG, SIGRTMIN));
    SAY(fcntl(fd, F_GETSIG) == SIGRTMIN);
    SAY(fcntl(fd, F_SETOWN, getpid()));
    SAY(fcntl(fd, F_GETOWN) == getpid());
    long hint = 2;
    SAY(fcntl(fd, F_SET_RW_HINT, &hint));
    hint = 0;
    SAY(fcntl(fd, F_GET_RW_HINT, &hint));
    printf("hint %ld\n", hint);
    SAY(fcntl(fd, F_GETPIPE_SZ));
    SAY(fcntl(fd, F_ADD_SEALS, 1));
    SAY(fcntl(fd, F_NOTIFY, 0));
    SAY(flock(fd, LOCK_EX | LOCK_NB));
    SAY(fcntl(fd, 9999, 0));
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    events();
    groups();
    leases();
    return 0;
}
