/* io_submit: every request is done at once, on sealed files and on others. */
#include <errno.h>
#include <sys/uio.h>

#include "aio_context.h"
#include "calls.h"
#include "fdtable.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"

#define GREATEST_VECTOR_COUNT 1024

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
    if (count < 0 || aio_is_out_of_reach())
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
