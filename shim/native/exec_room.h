/*
 * Memory for the lists that an exec is given. In a process of its own a mapping, which exec replaces. A child that shares its
 * parent's memory (posix_spawn) would leave that behind in the parent: it gets a part of its own stack, as far as that goes.
 */
#ifndef OVERLAY_EXEC_ROOM_H
#define OVERLAY_EXEC_ROOM_H

#include "filter.h"

#define EXEC_ROOM_SIZE 6144 /* posix_spawn's children have 32 KiB of stack */

struct exec_room {
    size_t used;
    char *mapped[2]; /* what had to be mapped all the same: two lists */
    size_t mapped_size[2];
    _Alignas(16) char bytes[EXEC_ROOM_SIZE];
};

/* Before the first use; `bytes` may be anything. */
static inline void exec_room_begin(struct exec_room *room)
{
    room->used = room->mapped_size[0] = room->mapped_size[1] = 0;
}

/* `size` bytes, or NULL: out of memory. */
void *exec_room_take(struct exec_room *room, size_t size) HIDDEN;

/* After an exec that failed. */
void exec_room_end(const struct exec_room *room) HIDDEN;

#endif
