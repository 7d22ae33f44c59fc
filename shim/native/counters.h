/*
 * What this process has done with sealed files: crypto/ProcessCounters.cs is the other copy of this, and a test compares them. The filter counts
 * the reads that it answers by itself; the engine counts the rest, and says where.
 */
#ifndef OVERLAY_COUNTERS_H
#define OVERLAY_COUNTERS_H

#include <stdint.h>

#include "fdtable.h"

#define COUNTER_STRIPES 8

struct process_counters {
    uint64_t is_taken;
    uint64_t of_the_engine[63];
    /* A line for each of several threads: one that all threads write would cost more than the reads. */
    struct {
        uint64_t hits, bytes;
        uint64_t unused[6];
    } stripe[COUNTER_STRIPES];
};

/* NULL: nobody watches this process. Written by the engine. */
extern struct process_counters *overlay_counters HIDDEN;

/* Two adds to a line that is most likely this thread's own; threads that meet there may lose a count. */
static inline void count_hit(long bytes)
{
    struct process_counters *counters = __atomic_load_n(&overlay_counters, __ATOMIC_RELAXED);
    if (counters == (struct process_counters *)0)
        return;
    /* Threads are told apart by their stacks, which lie megabytes from each other. */
    uint64_t stack = (uint64_t)__builtin_frame_address(0);
    uint64_t index = ((stack >> 23) ^ (stack >> 18)) % COUNTER_STRIPES;
    counters->stripe[index].hits++;
    counters->stripe[index].bytes += bytes > 0 ? (uint64_t)bytes : 0;
}

#endif
