/*
 * A child of posix_spawn runs in its parent's memory until its exec, and may be killed at any instruction. Killed within the engine it
 * would leave the parent with locks that nobody gives back, a heap in the middle of a collection, and a thread that counts as being
 * inside the engine, whose writes would then pass as plaintext. So no such child runs the engine there: it makes a copy of itself,
 * which runs the engine in memory of its own, and waits for it. What the engine knows of descriptors is the parent's; the copy attaches
 * the child's anew, does the work and settles the file.
 */
#include "borrowed.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "engine_call.h"
#include "fork.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"
#include "volumes.h"

int overlay_may_be_borrowed;

static int s_may_load_in_copy; /* the process that is being borrowed had one thread */
static int s_was_loaded_in_copy;

long borrowed_thread_count(void)
{
    struct stat status;
    return sys_fstatat(AT_FDCWD, "/proc/self/task", &status, 0) == 0 ? (long)status.st_nlink - 2 : 0;
}

/* With one thread, nobody holds the locks of loader and allocator that loading the engine takes in the copy. */
static bool has_one_thread(void)
{
    return borrowed_thread_count() == 1;
}

void borrowed_expect(void)
{
    __atomic_store_n(&overlay_may_be_borrowed, 1, __ATOMIC_RELAXED);
    /* Loading takes as long as a small program runs: most children need no engine. Where one did, others will. */
    s_may_load_in_copy = !engine_is_loaded() && __atomic_load_n(&s_was_loaded_in_copy, __ATOMIC_RELAXED) == 0 && has_one_thread();
    if (s_may_load_in_copy == 0 && overlay_volume_count > 0)
        ENGINE_CALL(prepare, 0);
}

/* Where an entry point writes into the program's memory; the size is that of an offset, or another argument. */
#define OFFSET_SIZE (-1)
static const struct output {
    size_t entry;
    int pointer, size;
} s_outputs[] = {
    {offsetof(struct overlay_engine, read), 1, 2},
    {offsetof(struct overlay_engine, pread), 1, 2},
    {offsetof(struct overlay_engine, peek), 4, 5},
    {offsetof(struct overlay_engine, truncate), 2, OFFSET_SIZE},
    {offsetof(struct overlay_engine, transfer), 1, OFFSET_SIZE},
    {offsetof(struct overlay_engine, transfer), 3, OFFSET_SIZE},
};
#define OUTPUT_COUNT (sizeof s_outputs / sizeof s_outputs[0])

/* Seen by child and copy. Behind it: what the copy has for the child. */
struct shared {
    long result;
    int is_done;
    char outputs[];
};

static size_t output_size(const struct output *output, size_t entry, const long *arguments)
{
    if (output->entry != entry || arguments[output->pointer] == 0)
        return 0;
    return output->size == OFFSET_SIZE ? sizeof(int64_t) : (size_t)arguments[output->size];
}

/* A descriptor as its first argument, which the engine must know. */
static bool takes_descriptor(size_t entry)
{
    return (entry >= offsetof(struct overlay_engine, read) && entry <= offsetof(struct overlay_engine, ftruncate)) ||
           entry == offsetof(struct overlay_engine, fallocate) || entry == offsetof(struct overlay_engine, fsync);
}

static long attach(int fd)
{
    long attached = ENGINE_CALL(attach, fd, 0, 0);
    return attached > 0 ? 0 : attached < 0 ? attached : -EIO;
}

/* In the copy, all of which is thrown away. */
static long run(void *const *entry, size_t offset, long *arguments)
{
    long error = 0;
    if (takes_descriptor(offset))
        error = attach((int)arguments[0]);
    if (offset == offsetof(struct overlay_engine, transfer)) {
        if (arguments[5] != 0)
            error = attach((int)arguments[0]);
        if (error == 0 && arguments[6] != 0)
            error = attach((int)arguments[2]);
    }
    if (error < 0)
        return error;
    long result = engine_invoke(entry, arguments);
    ENGINE_CALL(settle_all, 0);
    return result;
}

/* Each output goes to the shared memory instead; what is there before, an offset, with it. */
static void redirect_outputs(struct shared *shared, size_t entry, long *arguments)
{
    size_t used = 0;
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        size_t size = output_size(&s_outputs[i], entry, arguments);
        if (size == 0)
            continue;
        if (s_outputs[i].size == OFFSET_SIZE)
            text_copy(shared->outputs + used, (const char *)arguments[s_outputs[i].pointer], size);
        arguments[s_outputs[i].pointer] = (long)(shared->outputs + used);
        used += size;
    }
}

static void take_outputs(const struct shared *shared, size_t entry, const long *arguments)
{
    size_t used = 0;
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        size_t size = output_size(&s_outputs[i], entry, arguments);
        if (size == 0)
            continue;
        size_t filled = s_outputs[i].size == OFFSET_SIZE ? size : shared->result > 0 ? (size_t)shared->result : 0;
        text_copy((char *)arguments[s_outputs[i].pointer], shared->outputs + used, filled);
        used += size;
    }
}

struct work {
    struct shared *shared;
    void *const *entry;
    size_t offset;
    long *arguments;
};

static void work(struct work *work)
{
    engine_serve_borrower();
    work->shared->result = run(work->entry, work->offset, work->arguments);
    __atomic_store_n(&work->shared->is_done, 1, __ATOMIC_RELEASE);
    overlay_raw_syscall6(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

static long run_in_copy(struct shared *shared, void *const *entry, size_t offset, const long *asked)
{
    long arguments[7];
    for (int i = 0; i < 7; i++)
        arguments[i] = asked[i];
    redirect_outputs(shared, offset, arguments);
    const long plain[5] = {0}; /* no signal at its end: nobody else hears of it */
    long copy = fork_copy(SYS_clone, plain);
    if (copy == 0)
        work(&(struct work){shared, entry, offset, arguments});
    if (copy < 0)
        return copy;
    while (overlay_raw_syscall6(SYS_wait4, copy, 0, __WALL, 0, 0, 0) == -EINTR)
        ;
    return shared->is_done != 0 ? shared->result : -EIO;
}

/* The first buffer alone: fewer bytes than asked for are always right. */
static long read_first(void *const *unused, const long a[7])
{
    (void)unused;
    const struct iovec *vectors = (const struct iovec *)a[1];
    for (long i = 0; i < a[2]; i++)
        if (vectors[i].iov_len != 0) {
            const long read[7] = {a[0], (long)vectors[i].iov_base, (long)vectors[i].iov_len, a[3]};
            return borrowed_invoke(a[3] < 0 ? (void *const *)&overlay_engine.read : (void *const *)&overlay_engine.pread, read);
        }
    return 0;
}

long borrowed_invoke(void *const *entry, const long arguments[7])
{
    size_t offset = (size_t)((const char *)entry - (const char *)&overlay_engine);
    if (offset == offsetof(struct overlay_engine, readv))
        return read_first(entry, arguments);
    /* These are about the memory that is not ours. */
    if (offset == offsetof(struct overlay_engine, detach) || offset == offsetof(struct overlay_engine, flags_changed) ||
        offset == offsetof(struct overlay_engine, settle_all) || offset == offsetof(struct overlay_engine, prepare))
        return 0;
    /* So are these, but for the kernel's part, which is left to it. */
    if (offset == offsetof(struct overlay_engine, protect_lazily) || offset == offsetof(struct overlay_engine, map_over_lazy))
        return 0;
    /* A mapping of the copy's is none of ours. */
    if (offset == offsetof(struct overlay_engine, mmap))
        return -EIO;
    if (!engine_is_ready()) {
        if (s_may_load_in_copy == 0)
            return -EIO;
        __atomic_store_n(&s_was_loaded_in_copy, 1, __ATOMIC_RELAXED);
    }
    size_t size = sizeof(struct shared);
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        size += output_size(&s_outputs[i], offset, arguments);
    long address = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(address))
        return -ENOMEM;
    struct shared *shared = (struct shared *)address;
    uint64_t all = overlay_all_signals, before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    long result = run_in_copy(shared, entry, offset, arguments);
    signals_give_back(before);
    if (result >= 0)
        take_outputs(shared, offset, arguments);
    overlay_raw_syscall6(SYS_munmap, address, (long)size, 0, 0, 0, 0);
    return result;
}
