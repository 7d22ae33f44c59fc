#include "aio_context.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>

#include "gate.h"
#include "reachable.h"
#include "syscalls.h"
#include "trap.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define PAGE 4096UL
#define GREATEST_REQUEST (0x10000000U / sizeof(struct io_event)) /* the kernel's: more is EINVAL */
#define RING_MAGIC 0xa10a10a1U

/* struct aio_ring of the kernel's fs/aio.c: who reads it moves `head`. */
struct ring {
    uint32_t id, count, head, tail, magic, compatible_features, incompatible_features, header_length;
    struct io_event events[];
};

/* A page in front of its ring. */
struct context {
    struct context *next;
    size_t size; /* of both */
    uint64_t asked;
    uint32_t reserved;
    struct ring *ring;
};

static struct context *s_first;
static uint64_t s_asked; /* by all contexts */
static int s_lock;       /* all of the above; held for a few instructions, with signals blocked: a handler may use a context, too */
uint32_t overlay_aio_changes;

void aio_contexts_in_child(void)
{
    s_first = NULL; /* their memory is wiped */
    s_asked = 0;
    s_lock = 0;
}

static uint64_t hold(void)
{
    uint64_t all = overlay_all_signals, before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
    lock_take(&s_lock);
    return before;
}

static void let_go(uint64_t before)
{
    lock_give(&s_lock);
    signals_give_back(before);
}

static void tell_waiters(void)
{
    __atomic_add_fetch(&overlay_aio_changes, 1, __ATOMIC_SEQ_CST);
    overlay_raw_syscall6(SYS_futex, (long)&overlay_aio_changes, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0, 0, 0);
}

/* By name, each time: another thread may have ended it, or a handler that interrupted us have forked. */
static struct context **find(aio_context_t name)
{
    struct context **link = &s_first;
    while (*link != NULL && (aio_context_t)(*link)->ring != name)
        link = &(*link)->next;
    return link;
}

/* The program may write there what it likes. */
static uint32_t ring_used(const struct ring *ring, uint32_t count)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) % count, tail = ring->tail % count;
    return tail >= head ? tail - head : tail + count - head;
}

static uint32_t ring_count(const struct context *context)
{
    return (uint32_t)((context->size - PAGE - sizeof(struct ring)) / sizeof(struct io_event));
}

/* /proc/sys/fs/aio-max-nr: what all processes together may ask for; here, what this one may. */
static uint64_t greatest_sum(void)
{
    char text[24];
    uint64_t value = 0;
    long fd = sys_openat(AT_FDCWD, "/proc/sys/fs/aio-max-nr", O_RDONLY | O_CLOEXEC, 0);
    long length = fd < 0 ? 0 : sys_pread((int)fd, text, sizeof text, 0);
    if (fd >= 0)
        sys_close((int)fd);
    for (long i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    return length > 0 ? value : 65536;
}

static struct context *map_context(uint64_t asked)
{
    /* Twice as many as asked for, and whole pages, as the kernel has it. */
    size_t size = PAGE + ((sizeof(struct ring) + (2 * asked + 2) * sizeof(struct io_event) + PAGE - 1) & ~(PAGE - 1));
    long address = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(address))
        return NULL;
    /* A child that looks at the ring finds none, but memory. */
    overlay_raw_syscall6(SYS_madvise, address, (long)size, MADV_WIPEONFORK, 0, 0, 0);
    struct context *context = (struct context *)address;
    context->size = size;
    context->asked = asked;
    context->ring = (struct ring *)(address + (long)PAGE);
    *context->ring = (struct ring){.count = ring_count(context), .magic = RING_MAGIC, .compatible_features = 1,
                                   .header_length = sizeof(struct ring)};
    return context;
}

long aio_context_make(uint64_t asked, aio_context_t *made)
{
    if (asked == 0 || asked > GREATEST_REQUEST)
        return -EINVAL;
    uint64_t limit = greatest_sum();
    struct context *context = asked > limit ? NULL : map_context(asked);
    if (context == NULL)
        return asked > limit ? -EAGAIN : -ENOMEM;
    uint64_t before = hold();
    bool is_too_much = s_asked + asked > limit;
    if (!is_too_much) {
        context->next = s_first;
        s_first = context;
        s_asked += asked;
    }
    let_go(before);
    if (is_too_much) {
        overlay_raw_syscall3(SYS_munmap, (long)context, (long)context->size, 0);
        return -EAGAIN;
    }
    *made = (aio_context_t)context->ring;
    return 0;
}

long aio_context_destroy(aio_context_t name)
{
    uint64_t before = hold();
    struct context **link = find(name), *context = *link;
    if (context != NULL) {
        *link = context->next;
        s_asked -= context->asked;
    }
    let_go(before);
    if (context == NULL)
        return -EINVAL;
    overlay_raw_syscall3(SYS_munmap, (long)context, (long)context->size, 0);
    reachable_forget();
    tell_waiters();
    return 0;
}

long aio_context_capacity(aio_context_t name)
{
    uint64_t before = hold();
    struct context *context = *find(name);
    long capacity = context != NULL ? (long)ring_count(context) - 1 : -EINVAL;
    let_go(before);
    return capacity;
}

long aio_context_reserve(aio_context_t name)
{
    uint64_t before = hold();
    struct context *context = *find(name);
    long error = context == NULL ? -EINVAL : 0;
    if (error == 0 && ring_used(context->ring, ring_count(context)) + context->reserved >= ring_count(context) - 1)
        error = -EAGAIN;
    if (error == 0)
        context->reserved++;
    let_go(before);
    return error;
}

void aio_context_post(aio_context_t name, const struct io_event *event)
{
    uint64_t before = hold();
    struct context *context = *find(name);
    if (context != NULL && context->reserved > 0) {
        uint32_t count = ring_count(context), tail = context->ring->tail % count;
        context->reserved--;
        if (event != NULL) {
            context->ring->events[tail] = *event;
            __atomic_store_n(&context->ring->tail, (tail + 1) % count, __ATOMIC_RELEASE);
        }
    }
    let_go(before);
    if (event != NULL)
        tell_waiters();
}

long aio_context_take(aio_context_t name, long limit, struct io_event *events)
{
    uint64_t before = hold();
    struct context *context = *find(name);
    long taken = context == NULL ? -EINVAL : 0;
    if (context != NULL) {
        uint32_t count = ring_count(context), head = context->ring->head % count;
        for (; taken < limit && ring_used(context->ring, count) > 0; taken++) {
            if (!can_write(&events[taken], sizeof *events)) {
                taken = taken > 0 ? taken : -EFAULT;
                break;
            }
            events[taken] = context->ring->events[head];
            head = (head + 1) % count;
            __atomic_store_n(&context->ring->head, head, __ATOMIC_RELEASE);
        }
    }
    let_go(before);
    return taken;
}
