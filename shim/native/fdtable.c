#include "fdtable.h"

#include "engine_call.h"
#include "syscalls.h"
#include "volumes.h"

/* 4 MiB of untouched zero pages: only the pages of numbers in use cost memory. */
uint32_t overlay_fd_words[FD_LIMIT];
static bool s_any_reserved;

void fd_lose(int fd)
{
    if ((unsigned)fd >= FD_LIMIT)
        return;
    uint32_t seen = fd_word(fd);
    do {
        if (seen % FD_STATES == FD_RESERVED)
            return;
    } while (!__atomic_compare_exchange_n(&overlay_fd_words[fd], &seen, (seen / FD_STATES + 1) * FD_STATES, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

void fd_gain(int fd, uint32_t seen, enum fd_state state)
{
    if ((unsigned)fd < FD_LIMIT)
        __atomic_compare_exchange_n(&overlay_fd_words[fd], &seen, seen / FD_STATES * FD_STATES + state, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool fd_any_reserved(void)
{
    return __atomic_load_n(&s_any_reserved, __ATOMIC_RELAXED);
}

void fd_reserve(int fd, int reserved)
{
    __atomic_store_n(&s_any_reserved, true, __ATOMIC_RELAXED);
    engine_note_descriptor(reserved);
    if ((unsigned)fd < FD_LIMIT)
        __atomic_store_n(&overlay_fd_words[fd],
                         (fd_word(fd) / FD_STATES + 1) * FD_STATES + (reserved ? FD_RESERVED : FD_UNKNOWN),
                         __ATOMIC_RELEASE);
}

long fd_classify(int fd)
{
    uint32_t seen = fd_word(fd);
    if (seen % FD_STATES != FD_UNKNOWN)
        return seen % FD_STATES;

    struct stat status;
    if (sys_fstat(fd, &status) < 0)
        return FD_FOREIGN; /* EBADF and the like: the kernel tells the program */

    enum fd_state state = FD_FOREIGN;
    bool is_borrowed = is_borrowed_memory();
    if (S_ISDIR(status.st_mode)) {
        char path[PATH_SIZE];
        if (volumes_path_of(fd, path) && volumes_containing(path) != NULL)
            state = FD_INSIDE;
    } else if (S_ISREG(status.st_mode) && (status.st_mode & S_ISVTX) != 0) {
        /* O_PATH descriptors carry no data: nothing to open, and every transfer on them is EBADF. */
        long flags = sys_fcntl(fd, F_GETFL, 0);
        if (flags >= 0 && (flags & O_PATH) == 0) {
            long attached = ENGINE_CALL(attach, fd, is_borrowed ? OVERLAY_ATTACH_TRANSIENT : 0);
            if (attached < 0)
                return attached;
            if (attached > 0)
                state = FD_SEALED;
        }
    }
    if (!is_borrowed)
        fd_gain(fd, seen, state);
    return state;
}
