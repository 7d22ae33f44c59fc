#include "fdtable.h"

#include "engine_call.h"
#include "recent.h"
#include "syscalls.h"
#include "view.h"
#include "volumes.h"

/* 4 MiB of untouched zero pages: only the pages of numbers in use cost memory. */
LARGE uint32_t overlay_fd_words[FD_LIMIT];
static bool s_any_reserved;

/*
 * Reserved descriptors that a forked child must not keep: its locks would live on with it when we are killed. One a volume; 0 is a free
 * place, else the number + 1.
 */
static int s_private[64];

static bool exchange(int fd, uint32_t *seen, uint32_t next)
{
    return __atomic_compare_exchange_n(&overlay_fd_words[fd], seen, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void change(int fd, bool is_told)
{
    if ((unsigned)fd >= FD_LIMIT)
        return;
    uint32_t seen = fd_word(fd), next;
    do {
        enum fd_state state = seen % FD_STATES;
        if (state == FD_RESERVED)
            return;
        bool may_be_attached = !is_told && (state == FD_SEALED || state == FD_FORGOTTEN);
        next = (seen / FD_STATES + 1) * FD_STATES + (may_be_attached ? FD_FORGOTTEN : FD_UNKNOWN);
    } while (!exchange(fd, &seen, next));
}

void fd_lose(int fd)
{
    change(fd, false);
}

void fd_release(int fd)
{
    enum fd_state state = fd_state_of(fd);
    bool is_told = (state == FD_SEALED || state == FD_FORGOTTEN) && !is_borrowed_memory();
    /* First of all: a handler may jump away from here, and the number then stays what it is. */
    if (is_told)
        change(fd, false);
    if (is_told && !recent_let_go(fd))
        ENGINE_CALL(detach, fd, 0);
    change(fd, is_told);
}

void fd_gain(int fd, uint32_t seen, enum fd_state state)
{
    if ((unsigned)fd >= FD_LIMIT || exchange(fd, &seen, seen / FD_STATES * FD_STATES + state) || state != FD_SEALED)
        return;
    /*
     * Somebody lost the entry since (a late close of what had the number before, a child that shares our memory), but the engine has the
     * file now and must hear of its close: it would go on using a number that is another file's, or none's.
     */
    while (seen % FD_STATES == FD_UNKNOWN && !exchange(fd, &seen, seen / FD_STATES * FD_STATES + FD_FORGOTTEN))
        ;
}

void fd_note_directory(int fd, uint32_t seen, const struct stat *status)
{
    if (seen % FD_STATES == FD_UNKNOWN && S_ISDIR(status->st_mode) && listing_hides_nothing(status) && !is_borrowed_memory())
        fd_gain(fd, seen, FD_LISTED);
}

bool fd_any_reserved(void)
{
    return __atomic_load_n(&s_any_reserved, __ATOMIC_RELAXED);
}

static void note_private(int fd, bool is_private)
{
    for (size_t i = 0; i < sizeof s_private / sizeof *s_private; i++) {
        int seen = is_private ? 0 : fd + 1;
        /* Looked at first: to lock each of them costs more than to open a descriptor. */
        if (__atomic_load_n(&s_private[i], __ATOMIC_RELAXED) != seen)
            continue;
        if (__atomic_compare_exchange_n(&s_private[i], &seen, is_private ? fd + 1 : 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return;
    }
}

void fd_close_private(void)
{
    for (size_t i = 0; i < sizeof s_private / sizeof *s_private; i++) {
        if (s_private[i] == 0)
            continue;
        int fd = s_private[i] - 1;
        s_private[i] = 0;
        fd_reserve(fd, FD_RESERVE_NOT);
        sys_close(fd);
    }
}

void fd_reserve(int fd, int reserved)
{
    note_private(fd, reserved == FD_RESERVE_PRIVATE);
    __atomic_store_n(&s_any_reserved, true, __ATOMIC_RELAXED);
    if ((unsigned)fd < FD_LIMIT)
        __atomic_store_n(&overlay_fd_words[fd],
                         (fd_word(fd) / FD_STATES + 1) * FD_STATES + (reserved ? FD_RESERVED : FD_UNKNOWN),
                         __ATOMIC_RELEASE);
}

long fd_classify(int fd)
{
    uint32_t seen = fd_word(fd);
    if (seen % FD_STATES != FD_UNKNOWN && seen % FD_STATES != FD_FORGOTTEN && seen % FD_STATES != FD_LISTED)
        return seen % FD_STATES;

    struct stat status;
    if (sys_fstat(fd, &status) < 0)
        return FD_FOREIGN; /* EBADF and the like: the kernel tells the program */

    enum fd_state state = FD_FOREIGN;
    bool is_borrowed = is_borrowed_memory();
    if (S_ISDIR(status.st_mode)) {
        if (volumes_of_descriptor(fd) != NULL)
            state = FD_INSIDE;
    } else if (S_ISREG(status.st_mode) && (status.st_mode & S_ISVTX) != 0) {
        /* O_PATH descriptors carry no data: nothing to open, and every transfer on them is EBADF. */
        long flags = sys_fcntl(fd, F_GETFL, 0);
        /* Who sees ciphertext may read it; what can write comes to the engine, which has no key for it. */
        bool is_raw = flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && view_of_file_is_raw(fd, AT_FDCWD, NULL);
        if (flags >= 0 && (flags & O_PATH) == 0 && !is_raw) {
            const struct overlay_opened opened = engine_opened(&status, (int)flags);
            long attached = ENGINE_CALL(attach, fd, is_borrowed ? OVERLAY_ATTACH_TRANSIENT : 0, (long)&opened);
            if (attached < 0)
                return attached;
            if (attached > 0)
                state = FD_SEALED;
        }
    }
    if (is_borrowed)
        return state;
    /* The number was a sealed file's, whose close the engine has not heard of. */
    if (state != FD_SEALED && seen % FD_STATES == FD_FORGOTTEN) {
        fd_release(fd);
        return state;
    }
    /* An empty file may be about to get its header from another process: nothing is remembered of it. */
    bool may_become_sealed = state == FD_FOREIGN && S_ISREG(status.st_mode) && status.st_size == 0 && volumes_on_device(status.st_dev);
    if (!may_become_sealed)
        fd_gain(fd, seen, state);
    return state;
}
