/*
 * What is behind a descriptor number: a cache of this process, the kernel is the truth (design D5).
 *
 * Losing an entry (setting it to unknown) is always allowed. Gaining one is allowed only in the process that owns the memory,
 * and only if nobody lost the entry since it was looked at: hence the version in every word.
 */
#ifndef OVERLAY_FDTABLE_H
#define OVERLAY_FDTABLE_H

#include <sys/stat.h>

#include "filter.h"

enum fd_state {
    FD_UNKNOWN = 0,
    FD_FOREIGN = 1,   /* not ours: pass */
    FD_SEALED = 2,    /* the engine knows it */
    FD_RESERVED = 3,  /* the engine's own: the program does not see it */
    FD_INSIDE = 4,    /* a directory inside a volume */
    FD_FORGOTTEN = 5, /* unknown, but the engine may still have it: it must hear of a close */
    FD_LISTED = 6,    /* a directory whose listing hides nothing; else unknown */
    FD_STATES = 8,
};

#define FD_LIMIT (1 << 20)
extern uint32_t overlay_fd_words[FD_LIMIT] HIDDEN;

static inline uint32_t fd_word(int fd)
{
    return (unsigned)fd < FD_LIMIT ? __atomic_load_n(&overlay_fd_words[fd], __ATOMIC_ACQUIRE) : FD_UNKNOWN;
}

static inline enum fd_state fd_state_of(int fd)
{
    return (enum fd_state)(fd_word(fd) % FD_STATES);
}

/* Remembers of a directory that is not known yet that nothing is hidden from its listing, if it is so. */
void fd_note_directory(int fd, uint32_t seen, const struct stat *status) HIDDEN;

/* Forgets fd. A reserved entry stays: only the engine gives it up; a sealed one becomes FD_FORGOTTEN. */
void fd_lose(int fd) HIDDEN;

/* Before the kernel frees or replaces the number: tells the engine too. In a CLONE_VM child the engine's entry is the parent's. */
void fd_release(int fd) HIDDEN;

/* Remembers state if the word is still `seen`. */
void fd_gain(int fd, uint32_t seen, enum fd_state state) HIDDEN;

/* The engine takes or gives back a descriptor of its own. */
enum { FD_RESERVE_NOT, FD_RESERVE, FD_RESERVE_PRIVATE };
void fd_reserve(int fd, int reserved) HIDDEN;

/* In a forked child: the private ones are closed. */
void fd_close_private(void) HIDDEN;

/* Whether it ever took one. */
bool fd_any_reserved(void) HIDDEN;

/*
 * FD_FOREIGN, FD_SEALED, FD_RESERVED or FD_INSIDE, asking kernel and engine where the table does not know;
 * -errno when the file is sealed but cannot be used.
 */
long fd_classify(int fd) HIDDEN;

#endif
