/*
 * The file that was attached last, as far as the filter deals with it by itself: reads of a small file whose content came along with its
 * header, and a close that leaves nothing to be put in order. An engine call costs two system calls, and more than a plain read does.
 *
 * The engine shows it (RecentFile.cs). Everything here is optional: whoever is in doubt calls the engine.
 */
#ifndef OVERLAY_RECENT_H
#define OVERLAY_RECENT_H

#include "filter.h"

struct overlay_recent {
    uint32_t version; /* odd while somebody changes what is not changed in one step */
    int32_t fd;       /* -1: none */
    int32_t may_close; /* it is the file's only descriptor, and its close needs none */
    int32_t fork_count; /* with another one, other processes may move the offset */
    const uint64_t *word, *live; /* coherence and page files; what is held counts while they are as they were */
    uint64_t word_seen, live_seen;
    int64_t size; /* of the file, all of which is held; -1: it is not */
    char *data;
    int64_t offset; /* likely; the kernel's is the true one */
};
extern struct overlay_recent overlay_recent HIDDEN;

/* offset -1: at the descriptor's. False: the engine must be asked. */
bool recent_read(int fd, void *buffer, uint64_t size, int64_t offset, long *result) HIDDEN;

/* True: fd may be closed; the engine hears of it with its next call. */
bool recent_let_go(int fd) HIDDEN;

/* At the beginning of each engine call, behind the gate. */
void recent_tell(void) HIDDEN;

/* No other thread of this process uses the engine, and so nobody else reads at a descriptor's offset. */
bool recent_is_alone(void) HIDDEN;

/* How many threads may call the engine. */
void recent_count_thread(int change) HIDDEN;
void recent_in_child(bool is_prepared) HIDDEN;

#endif
