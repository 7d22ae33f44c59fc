#include "recent.h"

#include "engine_call.h"
#include "fork.h"
#include "gate.h"
#include "reachable.h"
#include "syscalls.h"

struct overlay_recent overlay_recent = {.fd = -1, .size = -1};

/*
 * Number + 1 of a descriptor that was closed, or is about to be, without the engine; 0: none. Whoever comes to the engine tells it before
 * anything else, and nobody who was there before is left when it is really closed: so the engine never uses what has the number by then.
 */
static int s_closed;
static int s_telling;

/* Threads that have called the engine, or may at once. With more than one they read by turns, which the engine sees to. */
static int s_threads;

void recent_count_thread(int change)
{
    __atomic_add_fetch(&s_threads, change, __ATOMIC_SEQ_CST);
}

void recent_in_child(bool is_prepared)
{
    s_threads = is_prepared;
    s_telling = 0;
}

bool recent_is_alone(void)
{
    return __atomic_load_n(&s_threads, __ATOMIC_SEQ_CST) == 1 && engine_is_ready() && !is_borrowed_memory();
}

static void copy(void *target, const void *source, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
}

static void wipe(void *target, size_t size)
{
    __asm__ volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(0) : "memory");
}

static bool is_current(const struct overlay_recent *recent)
{
    return __atomic_load_n(recent->word, __ATOMIC_ACQUIRE) == recent->word_seen &&
           __atomic_load_n(recent->live, __ATOMIC_ACQUIRE) == recent->live_seen;
}

static long move(int fd, int64_t by)
{
    return overlay_raw_syscall6(SYS_lseek, fd, by, SEEK_CUR, 0, 0, 0);
}

static int64_t available(int64_t held, int64_t offset, uint64_t wanted)
{
    int64_t left = offset >= held ? 0 : held - offset;
    return (uint64_t)left < wanted ? left : (int64_t)wanted;
}

/*
 * Moves the descriptor's offset over what is going to be read, in one step, so that nobody else reads it too. The offset is a guess until the
 * kernel has said where it was. -1: it is not where it was thought to be twice.
 */
static int64_t take(int fd, uint64_t wanted, int64_t held, int64_t *at)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        int64_t likely = __atomic_load_n(&overlay_recent.offset, __ATOMIC_RELAXED);
        int64_t count = available(held, likely, wanted);
        long moved = move(fd, count);
        if (moved < 0)
            return -1;
        *at = moved - count;
        if (*at == likely) {
            __atomic_store_n(&overlay_recent.offset, moved, __ATOMIC_RELAXED);
            return count;
        }
        if (count > 0)
            move(fd, -count);
        __atomic_store_n(&overlay_recent.offset, *at, __ATOMIC_RELAXED);
    }
    return -1;
}

#define SANE_SIZE (1UL << 30)

bool recent_read(int fd, void *buffer, uint64_t size, int64_t offset, long *result)
{
    const struct overlay_recent *recent = &overlay_recent;
    if (__atomic_load_n(&recent->fd, __ATOMIC_ACQUIRE) != fd || !recent_is_alone())
        return false;
    uint32_t version = __atomic_load_n(&recent->version, __ATOMIC_ACQUIRE);
    int64_t held = recent->size, at = offset;
    const char *data = recent->data;
    if (version % 2 != 0 || held < 0 || recent->fd != fd || recent->fork_count != overlay_fork_count || !is_current(recent))
        return false;
    /* What the kernel would refuse, or cut, the engine knows. */
    if (is_bad_pointer((long)buffer) || size > SANE_SIZE || !can_write(buffer, (uint64_t)held < size ? (uint64_t)held : size))
        return false;
    int64_t count = offset < 0 ? take(fd, size, held, &at) : available(held, at, size);
    if (count < 0)
        return false;
    copy(buffer, data + (count > 0 ? at : 0), (size_t)count);
    /* A handler of a signal may have opened another file meanwhile. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&recent->version, __ATOMIC_RELAXED) != version) {
        if (offset < 0 && count > 0)
            move(fd, -count);
        return false;
    }
    *result = count;
    return true;
}

/* What is held of it is plaintext. */
static void forget(void)
{
    uint32_t version = __atomic_load_n(&overlay_recent.version, __ATOMIC_RELAXED);
    __atomic_store_n(&overlay_recent.fd, -1, __ATOMIC_SEQ_CST);
    if (version % 2 != 0 ||
        !__atomic_compare_exchange_n(&overlay_recent.version, &version, version + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return;
    if (overlay_recent.size > 0)
        wipe(overlay_recent.data, (size_t)overlay_recent.size);
    overlay_recent.size = -1;
    __atomic_store_n(&overlay_recent.version, version + 2, __ATOMIC_RELEASE);
}

static bool may_close(int fd)
{
    return __atomic_load_n(&overlay_recent.fd, __ATOMIC_SEQ_CST) == fd && __atomic_load_n(&overlay_recent.may_close, __ATOMIC_SEQ_CST) != 0;
}

bool recent_let_go(int fd)
{
    int none = 0;
    if (!may_close(fd) || !engine_is_ready() || !__atomic_compare_exchange_n(&s_closed, &none, fd + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    /* Who came before that may be using the file, or have changed it; who comes later tells the engine first. */
    if (!gate_is_empty() || !may_close(fd))
        return false;
    forget();
    return true;
}

void recent_tell(void)
{
    if (__atomic_load_n(&s_closed, __ATOMIC_SEQ_CST) == 0)
        return;
    lock_take(&s_telling);
    int closed = __atomic_load_n(&s_closed, __ATOMIC_SEQ_CST);
    if (closed != 0)
        overlay_engine.detach(closed - 1, 1);
    __atomic_store_n(&s_closed, 0, __ATOMIC_SEQ_CST);
    lock_give(&s_telling);
}
