/*
 * The engine's cache of plaintext, as far as the filter reads it. The engine writes all of it, but for marks and guesses; overlay/Files/CacheLayout.cs is the other copy
 * of this, and a test compares them.
 */
#ifndef OVERLAY_BLOCK_CACHE_H
#define OVERLAY_BLOCK_CACHE_H

#include <stdint.h>

#define CACHE_WAYS 4
#define CACHE_SLICE_SIZE_LOG2 14

/* The version is odd while the rest changes: what was copied meanwhile does not count. */
struct cache_set {
    uint32_t version;
    uint32_t hand;
    uint8_t was_used[CACHE_WAYS];
    uint32_t unused;
    int32_t length[CACHE_WAYS];
    struct {
        int64_t stamp, slice;
    } key[CACHE_WAYS];
    uint32_t evicted[CACHE_WAYS];
    uint8_t unused_too[16];
};

/* The frames of a way lie together, one for each set that there may ever be. */
struct cache_table {
    uint8_t *frames;
    struct cache_set *sets; /* NULL while there are none */
    int32_t sets_log2;      /* may grow: what is then no longer found is no longer there */
    int32_t way_log2;
};

/* One file: what is cached under the stamp is the file while *word is valid_word. */
struct cached_file {
    uint64_t version;
    uint64_t valid_word;
    const uint64_t *word;
    const uint64_t *live_word; /* low 16 bits 0: no process maps it shared */
    int64_t stamp;
    int64_t size;
    int32_t slice_size_log2;
    int32_t fork_count; /* with another one, other processes may move its descriptors' offsets */
    int64_t offset; /* where its descriptor was left by the last read at an offset of its own; the kernel's is the true one */
};

static inline uint64_t cache_index(const struct cache_table *table, int64_t stamp, int64_t slice)
{
    int sets_log2 = __atomic_load_n(&table->sets_log2, __ATOMIC_RELAXED);
    return ((uint64_t)slice + ((uint64_t)(stamp + (slice >> sets_log2)) * 0x9E3779B97F4A7C15u >> 32)) & ((1ULL << sets_log2) - 1);
}

#endif
