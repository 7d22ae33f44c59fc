/*
 * Native asynchronous I/O: io_setup, io_submit, io_getevents and their kin (libaio). What is submitted is done at once, on sealed files and on
 * others, and its completion waits in a ring of ours (aio_context.h).
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/uio.h>
#include <time.h>

#include "aio_context.h"
#include "borrowed.h"
#include "calls.h"
#include "fdtable.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

#define GREATEST_VECTOR_COUNT 1024

/* A child of posix_spawn shares our memory, and so the contexts, but not their lock: it might be killed with it. */
static bool is_stranger(void)
{
    return __atomic_load_n(&overlay_may_be_borrowed, __ATOMIC_RELAXED) != 0 && is_borrowed_memory();
}

int on_io_setup(struct overlay_call *call)
{
    aio_context_t *result = (aio_context_t *)call->args[1], made;
    if (!can_read(result, sizeof *result))
        return answer(call, -EFAULT);
    if (*result != 0 || is_stranger())
        return answer(call, -EINVAL);
    if ((uintptr_t)result % sizeof *result == 0 && !can_write(result, sizeof *result))
        return answer(call, -EFAULT);
    long error = aio_context_make((uint32_t)call->args[0], &made);
    *result = error == 0 ? made : 0;
    return answer(call, error);
}

int on_io_destroy(struct overlay_call *call)
{
    return answer(call, is_stranger() ? -EINVAL : aio_context_destroy((aio_context_t)call->args[0]));
}

static long perform(call_handler handler, long number, long fd, long a, long b, long c, long e)
{
    struct overlay_call call = {.number = number, .args = {fd, a, b, c, 0, e}};
    if (handler(&call) == HANDLED)
        return call.result;
    return overlay_raw_syscall6(number, fd, a, b, c, 0, e);
}

/* Pipes and the like have no offset: asynchronous I/O does not mind. */
static long move(const struct iocb *request, bool is_writing, const struct iovec *vectors, long count)
{
    call_handler handler = is_writing ? on_pwritev2 : on_preadv2;
    long number = is_writing ? SYS_pwritev2 : SYS_preadv2, fd = (int)request->aio_fildes;
    long result = perform(handler, number, fd, (long)vectors, count, request->aio_offset, (int)request->aio_rw_flags);
    return result != -ESPIPE ? result : perform(handler, number, fd, (long)vectors, count, -1, (int)request->aio_rw_flags);
}

static long sync_file(const struct iocb *request, bool is_data_only)
{
    if (request->aio_buf != 0 || request->aio_offset != 0 || request->aio_nbytes != 0 || request->aio_rw_flags != 0)
        return -EINVAL;
    return is_data_only ? perform(on_fdatasync, SYS_fdatasync, (int)request->aio_fildes, 0, 0, 0, 0)
                        : perform(on_fsync, SYS_fsync, (int)request->aio_fildes, 0, 0, 0, 0);
}

/*
 * What the kernel finds before it starts, io_submit itself returns; what it finds later is the request's result. EINVAL is the latter if
 * it is about the alignment of O_DIRECT, so the rest of it is looked for here.
 */
static long check_request(const struct iocb *request)
{
    int opcode = request->aio_lio_opcode;
    bool is_vectored = opcode == IOCB_CMD_PREADV || opcode == IOCB_CMD_PWRITEV;
    if (request->aio_reserved2 != 0 || (int64_t)request->aio_nbytes < 0)
        return -EINVAL;
    if (fd_state_of((int)request->aio_fildes) == FD_RESERVED || sys_fcntl((int)request->aio_fildes, F_GETFD, 0) < 0)
        return -EBADF;
    if (is_vectored && request->aio_nbytes > GREATEST_VECTOR_COUNT)
        return -EINVAL;
    if (is_vectored && !can_read((const void *)request->aio_buf, request->aio_nbytes * sizeof(struct iovec)))
        return -EFAULT;
    return opcode != IOCB_CMD_FSYNC && opcode != IOCB_CMD_FDSYNC && request->aio_offset < 0 ? -EINVAL : 0;
}

static bool is_refusal(const struct iocb *request, long result)
{
    bool is_sync = request->aio_lio_opcode == IOCB_CMD_FSYNC || request->aio_lio_opcode == IOCB_CMD_FDSYNC;
    return result == -EBADF || result == -EOPNOTSUPP || result == -EISDIR || (is_sync && result == -EINVAL);
}

static long run_request(const struct iocb *request)
{
    struct iovec one = {(void *)request->aio_buf, request->aio_nbytes};
    switch (request->aio_lio_opcode) {
    case IOCB_CMD_PREAD: return move(request, false, &one, 1);
    case IOCB_CMD_PWRITE: return move(request, true, &one, 1);
    case IOCB_CMD_PREADV: return move(request, false, (const struct iovec *)request->aio_buf, (long)request->aio_nbytes);
    case IOCB_CMD_PWRITEV: return move(request, true, (const struct iovec *)request->aio_buf, (long)request->aio_nbytes);
    case IOCB_CMD_FSYNC: return sync_file(request, false);
    case IOCB_CMD_FDSYNC: return sync_file(request, true);
    default: return -EINVAL;
    }
}

/* A directory is nothing that can be read, rather than a directory. */
static long refusal_of(long result)
{
    return result == -EISDIR ? -EINVAL : result;
}

/* Anything else would take the eight bytes for data. */
static long check_notice(int fd)
{
    char link[40] = "/proc/self/fd/", target[20];
    if (fd_state_of(fd) == FD_RESERVED || sys_fcntl(fd, F_GETFD, 0) < 0)
        return -EBADF;
    link[14 + text_decimal(link + 14, (unsigned long)fd)] = 0;
    static const char wanted[] = "anon_inode:[eventfd]";
    if (sys_readlink(link, target, sizeof target) != (long)sizeof wanted - 1)
        return -EINVAL;
    for (size_t i = 0; i < sizeof wanted - 1; i++)
        if (target[i] != wanted[i])
            return -EINVAL;
    return 0;
}

static bool is_known(uint16_t opcode)
{
    return opcode <= IOCB_CMD_FDSYNC || opcode == IOCB_CMD_PREADV || opcode == IOCB_CMD_PWRITEV;
}

static long submit(aio_context_t context, struct iocb *where)
{
    if (!can_read(where, sizeof *where))
        return -EFAULT;
    struct iocb request = *where;
    bool has_notice = (request.aio_flags & IOCB_FLAG_RESFD) != 0;
    long error = check_request(&request);
    if (error == 0 && has_notice)
        error = check_notice((int)request.aio_resfd);
    if (error == 0 && !is_known(request.aio_lio_opcode))
        error = -EINVAL;
    if (error == 0)
        error = aio_context_reserve(context);
    if (error < 0)
        return error;
    if (where->aio_key != 0)
        where->aio_key = 0; /* the kernel's mark of a request that was submitted */

    long result = run_request(&request);
    bool is_refused = is_refusal(&request, result);
    struct io_event event = {.data = request.aio_data, .obj = (uintptr_t)where, .res = result};
    aio_context_post(context, is_refused ? NULL : &event);
    if (is_refused)
        return refusal_of(result);
    uint64_t one = 1;
    if (has_notice)
        sys_write((int)request.aio_resfd, &one, sizeof one);
    return 0;
}

int on_io_submit(struct overlay_call *call)
{
    aio_context_t context = (aio_context_t)call->args[0];
    struct iocb **requests = (struct iocb **)call->args[2];
    long count = call->args[1], done = 0, error = 0;
    if (count < 0 || is_stranger())
        return answer(call, -EINVAL);
    long capacity = aio_context_capacity(context);
    if (capacity < 0)
        return answer(call, capacity);
    count = count < capacity ? count : capacity;
    for (; done < count; done++) {
        error = can_read(&requests[done], sizeof *requests) ? submit(context, requests[done]) : -EFAULT;
        if (error < 0)
            break;
    }
    return answer(call, done > 0 ? done : error);
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
    if (least < 0 || least > limit || is_stranger())
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
