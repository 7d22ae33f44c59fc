#include "cached_read.h"

#include "counters.h"
#include "engine_call.h"
#include "fork.h"
#include "reachable.h"
#include "recent.h"
#include "syscalls.h"

#define MISS (-1L)
#define LONGEST (1UL << 30)

struct process_counters *overlay_counters;
struct cache_table overlay_cache;

/* 8 MiB of untouched zero pages. */
struct cached_file *overlay_cached_files[FD_LIMIT];

static void copy(uint8_t *target, const uint8_t *source, uint64_t size)
{
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
}

static void clear(uint8_t *target, uint64_t size)
{
    __asm__ volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(0) : "memory");
}

/* What was read before this is read before what comes after it. */
static void order_reads(void)
{
    __asm__ volatile("lfence" : : : "memory");
}

static uint64_t look(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static int find(const struct cache_set *set, int64_t stamp, int64_t slice)
{
    for (int way = 0; way < CACHE_WAYS; way++)
        if (set->key[way].stamp == stamp && set->key[way].slice == slice)
            return way;
    return -1;
}

/* A part of one slice. What lies behind a slice's end is zeros. */
static bool copy_part(uint8_t *target, int64_t stamp, int64_t slice, uint64_t in_slice, uint64_t size)
{
    uint64_t index = cache_index(&overlay_cache, stamp, slice);
    struct cache_set *set = &overlay_cache.sets[index];
    uint32_t version = __atomic_load_n(&set->version, __ATOMIC_ACQUIRE);
    int way = find(set, stamp, slice);
    if (version % 2 != 0 || way < 0)
        return false;
    uint64_t length = (uint64_t)(uint32_t)set->length[way];
    /* Of a set that changes meanwhile the length may be another slice's, but none is longer than a frame. */
    if (length > 1UL << CACHE_SLICE_SIZE_LOG2)
        return false;
    const uint8_t *frame = overlay_cache.frames + ((((uint64_t)way << overlay_cache.way_log2) + index) << CACHE_SLICE_SIZE_LOG2);
    uint64_t there = in_slice >= length ? 0 : length - in_slice < size ? length - in_slice : size;
    copy(target, frame + in_slice, there);
    if (there < size)
        clear(target + there, size - there);
    if (set->was_used[way] == 0)
        set->was_used[way] = 1;
    order_reads();
    return __atomic_load_n(&set->version, __ATOMIC_ACQUIRE) == version;
}

/* Nobody has written to the file, or maps it, as far as this process can know. */
static bool holds(const struct cached_file *file, uint64_t version, uint64_t valid_word)
{
    order_reads();
    return look(file->word) == valid_word && (look(file->live_word) & 0xffff) == 0 && look(&file->version) == version;
}

/* May change at any time. */
static bool is_cached(int64_t stamp, int64_t slice)
{
    return find(&overlay_cache.sets[cache_index(&overlay_cache, stamp, slice)], stamp, slice) >= 0;
}

static long read_file(const struct cached_file *file, uint8_t *buffer, uint64_t size, int64_t offset)
{
    uint64_t version = look(&file->version), valid_word = file->valid_word;
    int64_t stamp = file->stamp, end = file->size;
    int slice_size_log2 = file->slice_size_log2;
    if (version % 2 != 0 || look(file->word) != valid_word || (look(file->live_word) & 0xffff) != 0 || look(&file->version) != version)
        return MISS;
    if (offset >= end)
        return MISS;
    size = (uint64_t)(end - offset) < size ? (uint64_t)(end - offset) : size;
    /* The memory last: asking may take a system call for each page, and the engine asks once more. */
    if (!is_cached(stamp, offset >> slice_size_log2) || !can_fill(buffer, size))
        return MISS;
    uint64_t slice_size = 1UL << slice_size_log2;
    for (uint64_t done = 0, part; done < size; done += part) {
        uint64_t at = (uint64_t)offset + done, in_slice = at & (slice_size - 1);
        part = slice_size - in_slice < size - done ? slice_size - in_slice : size - done;
        if (!copy_part(buffer + done, stamp, (int64_t)(at >> slice_size_log2), in_slice, part))
            return MISS;
    }
    return holds(file, version, valid_word) ? (long)size : MISS;
}

long cached_read(int fd, void *buffer, uint64_t size, int64_t offset)
{
    if ((unsigned)fd >= FD_LIMIT || offset < 0 || size == 0 || size > LONGEST)
        return MISS;
    const struct cached_file *file = __atomic_load_n(&overlay_cached_files[fd], __ATOMIC_ACQUIRE);
    if (file == NULL || __atomic_load_n(&overlay_cache.sets, __ATOMIC_ACQUIRE) == NULL)
        return MISS;
    return read_file(file, buffer, size, offset);
}

int64_t cached_size(int fd)
{
    const struct cached_file *file = (unsigned)fd < FD_LIMIT ? __atomic_load_n(&overlay_cached_files[fd], __ATOMIC_ACQUIRE) : NULL;
    if (file == NULL)
        return MISS;
    uint64_t version = look(&file->version), valid_word = file->valid_word;
    int64_t size = file->size;
    return version % 2 == 0 && holds(file, version, valid_word) ? size : MISS;
}

static long move(int fd, int64_t by)
{
    return overlay_raw_syscall6(SYS_lseek, fd, by, SEEK_CUR, 0, 0, 0);
}

/* How much a read at this offset is likely to get from the cache: all that it can get, or 0. */
static int64_t likely_count(const struct cached_file *file, uint64_t size, int64_t offset)
{
    int64_t stamp = file->stamp, left = file->size - offset;
    int slice_size_log2 = file->slice_size_log2;
    if (left <= 0 || offset < 0)
        return 0;
    int64_t count = (uint64_t)left < size ? left : (int64_t)size;
    for (int64_t slice = offset >> slice_size_log2; slice <= (offset + count - 1) >> slice_size_log2; slice++)
        if (!is_cached(stamp, slice))
            return 0;
    return count;
}

/*
 * The offset is moved first, in one step: what lies between is this read's, whatever a handler that comes in between reads. If it turns out not to be in
 * the cache, the engine reads it there, and only what nobody has read is given back: the file has become shorter, or cannot be read.
 */
bool cached_read_on(int fd, void *buffer, uint64_t size, long *result)
{
    if ((unsigned)fd >= FD_LIMIT || size == 0 || size > LONGEST)
        return false;
    struct cached_file *file = __atomic_load_n(&overlay_cached_files[fd], __ATOMIC_ACQUIRE);
    if (file == NULL || __atomic_load_n(&overlay_cache.sets, __ATOMIC_ACQUIRE) == NULL || file->fork_count != overlay_fork_count ||
        look(file->word) != file->valid_word || !recent_is_alone())
        return false;
    int64_t likely = __atomic_load_n(&file->offset, __ATOMIC_RELAXED), count = likely_count(file, size, likely);
    /* Up to the end of the file, if it is there at all: elsewhere nobody expects to get less than he asked for. */
    if (count > 0 && (uint64_t)count < size)
        count = likely_count(file, size, move(fd, 0));
    if (count == 0 || !can_fill(buffer, (uint64_t)count))
        return false;
    long moved = move(fd, count);
    if (moved < 0)
        return false;
    long done = read_file(file, buffer, (uint64_t)count, moved - count);
    if (done >= 0)
        count_hit(done);
    else
        done = ENGINE_CALL(pread, fd, (long)buffer, count, moved - count);
    if (done != count)
        moved = move(fd, (done < 0 ? 0 : done) - count);
    __atomic_store_n(&file->offset, moved, __ATOMIC_RELAXED);
    *result = done;
    return true;
}
