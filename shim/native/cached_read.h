/*
 * Reads that are answered from the engine's cache without the engine: no managed code, no vector registers, no lock, and so no signal has to
 * be kept out. A handler that comes in between, another thread, another process may change all of it: then what was copied does not count.
 */
#ifndef OVERLAY_CACHED_READ_H
#define OVERLAY_CACHED_READ_H

#include "block_cache.h"
#include "fdtable.h"

/* Told to the engine when it starts: it fills them. By descriptor: what is known of the file behind it, or NULL. */
extern struct cache_table overlay_cache HIDDEN;
extern struct cached_file *overlay_cached_files[FD_LIMIT] HIDDEN;

/* fd is sealed. The number of bytes read, or -1: the engine must be asked. */
long cached_read(int fd, void *buffer, uint64_t size, int64_t offset) HIDDEN;

/* Likewise: the file's size, or -1. */
int64_t cached_size(int fd) HIDDEN;
/* The same at the descriptor's offset, which is moved. True: result is the answer, or the kernel's or the engine's errno. */
bool cached_read_on(int fd, void *buffer, uint64_t size, long *result) HIDDEN;

#endif
