/*
 * Native asynchronous I/O (libaio): contexts, and waiting for completions. What is submitted is done at once (aio_submit.c), and its completion
 * waits in a ring of ours (aio_context.h).
 */
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "aio_context.h"
#include "calls.h"
#include "reachable.h"
#include "syscalls.h"
#include "trap.h"

int on_io_setup(struct overlay_call *call)
{
    aio_context_t *result = (aio_context_t *)call->args[1], made;
    if (!can_read(result, sizeof *result))
        return answer(call, -EFAULT);
    if (*result != 0 || aio_is_out_of_reach())
        return answer(call, -EINVAL);
    if ((uintptr_t)result % sizeof *result == 0 && !can_write(result, sizeof *result))
        return answer(call, -EFAULT);
    long error = aio_context_make((uint32_t)call->args[0], &made);
    *result = error == 0 ? made : 0;
    return answer(call, error);
}

int on_io_destroy(struct overlay_call *call)
{
    return answer(call, aio_is_out_of_reach() ? -EINVAL : aio_context_destroy((aio_context_t)call->args[0]));
}

/* Nothing that was submitted is still under way. */
int on_io_cancel(struct overlay_call *call)
{
    const struct iocb *request = (const struct iocb *)call->args[1];
    return answer(call, can_read(request, sizeof *request) ? -EINVAL : -EFAULT);
}

struct patience {
    bool is_none;
    struct timespec until;       /* CLOCK_MONOTONIC */
    const uint64_t *signal_mask; /* of io_pgetevents; NULL: as it is */
};

#define FOREVER 1000000000L

static long make_patience(const struct timespec *timeout, struct patience *patience)
{
    struct timespec time = {FOREVER, 0};
    if (timeout != NULL && !can_read(timeout, sizeof *timeout))
        return -EFAULT;
    if (timeout != NULL)
        time = *timeout;
    patience->is_none = time.tv_sec < 0 || (time.tv_sec == 0 && time.tv_nsec <= 0);
    overlay_raw_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&patience->until, 0);
    patience->until.tv_sec += time.tv_sec < FOREVER ? time.tv_sec : FOREVER;
    patience->until.tv_nsec += time.tv_nsec;
    while (patience->until.tv_nsec >= 1000000000) {
        patience->until.tv_nsec -= 1000000000;
        patience->until.tv_sec++;
    }
    return 0;
}

static bool is_over(const struct patience *patience)
{
    struct timespec now;
    overlay_raw_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
    return now.tv_sec > patience->until.tv_sec || (now.tv_sec == patience->until.tv_sec && now.tv_nsec >= patience->until.tv_nsec);
}

/*
 * Until something changes: always with a time limit, since without one a handler's return would restart the wait where io_getevents says
 * EINTR. No futex call changes the signal mask with the wait in one step; ppoll does, and looks again after a moment.
 */
static long wait_for_change(uint32_t seen, const struct patience *patience)
{
    if (patience->signal_mask == NULL)
        return overlay_raw_syscall6(SYS_futex, (long)&overlay_aio_changes, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
                                    (long)&patience->until, 0, (long)FUTEX_BITSET_MATCH_ANY);
    struct timespec moment = {.tv_nsec = 10000000};
    const uint64_t mask = *patience->signal_mask & overlay_all_signals;
    return overlay_raw_syscall6(SYS_ppoll, 0, 0, (long)&moment, (long)&mask, 8, 0);
}

static long get_events(aio_context_t context, long least, long limit, struct io_event *events, const struct patience *patience)
{
    long done = 0;
    for (bool is_last = patience->is_none;;) {
        uint32_t seen = __atomic_load_n(&overlay_aio_changes, __ATOMIC_SEQ_CST);
        long taken = aio_context_take(context, limit - done, events + done);
        if (taken < 0)
            return done > 0 ? done : taken;
        done += taken;
        if (done >= least || is_last)
            return done;
        if (wait_for_change(seen, patience) == -EINTR)
            return done > 0 ? done : -EINTR;
        is_last = is_over(patience);
    }
}

static long get_events_of(struct overlay_call *call, const uint64_t *signal_mask)
{
    struct patience patience = {.signal_mask = signal_mask};
    long least = call->args[1], limit = call->args[2];
    long error = make_patience((const struct timespec *)call->args[4], &patience);
    if (error < 0)
        return error;
    if (least < 0 || least > limit || aio_is_out_of_reach())
        return -EINVAL;
    return get_events((aio_context_t)call->args[0], least, limit, (struct io_event *)call->args[3], &patience);
}

int on_io_getevents(struct overlay_call *call)
{
    return answer(call, get_events_of(call, NULL));
}

int on_io_pgetevents(struct overlay_call *call)
{
    const struct {
        const uint64_t *mask;
        size_t size;
    } *asked = (const void *)call->args[5];
    if (asked == NULL)
        return answer(call, get_events_of(call, NULL));
    if (!can_read(asked, sizeof *asked) || (asked->mask != NULL && !can_read(asked->mask, sizeof *asked->mask)))
        return answer(call, -EFAULT);
    if (asked->mask != NULL && asked->size != sizeof *asked->mask)
        return answer(call, -EINVAL);
    return answer(call, get_events_of(call, asked->mask));
}
