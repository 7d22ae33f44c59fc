/* read, write and their kin, sendfile, copy_file_range, splice: everything that moves bytes. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "cached_read.h"
#include "calls.h"
#include "counters.h"
#include "engine_call.h"
#include "fdtable.h"
#include "recent.h"
#include "syscalls.h"

/*
 * The common head of every call on one descriptor: 1 = sealed, go on; PASS or HANDLED + 1 = return that.
 * In a CLONE_VM child a sealed file has no table entry; the engine looks it up for each call.
 */
enum { SEALED_GO_ON = 2 };

static inline int head(struct overlay_call *call, int fd)
{
    enum fd_state known = fd_state_of(fd);
    if (known == FD_FOREIGN)
        return PASS;
    if (known == FD_SEALED)
        return SEALED_GO_ON;
    long state = fd_classify(fd);
    if (state < 0)
        return answer(call, state);
    if (state == FD_RESERVED)
        return answer(call, -EBADF);
    return state == FD_SEALED ? SEALED_GO_ON : PASS;
}

#define ON_SEALED(call)                                                                                                \
    do {                                                                                                               \
        int verdict = head(call, (int)(call)->args[0]);                                                                \
        if (verdict != SEALED_GO_ON)                                                                                   \
            return verdict;                                                                                            \
    } while (0)

int on_read(struct overlay_call *call)
{
    long result;
    ON_SEALED(call);
    int fd = (int)call->args[0];
    if (recent_read(fd, (void *)call->args[1], (uint64_t)call->args[2], -1, &result)) {
        count_hit(result);
        return answer(call, result);
    }
    if (cached_read_on(fd, (void *)call->args[1], (uint64_t)call->args[2], &result))
        return answer(call, result);
    return answer(call, ENGINE_CALL(read, fd, call->args[1], call->args[2]));
}

int on_write(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(write, call->args[0], call->args[1], call->args[2]));
}

int on_pread64(struct overlay_call *call)
{
    long result;
    ON_SEALED(call);
    if (call->args[3] >= 0 && recent_read((int)call->args[0], (void *)call->args[1], (uint64_t)call->args[2], call->args[3], &result)) {
        count_hit(result);
        return answer(call, result);
    }
    long cached = cached_read((int)call->args[0], (void *)call->args[1], (uint64_t)call->args[2], call->args[3]);
    if (cached >= 0) {
        count_hit(cached);
        return answer(call, cached);
    }
    return answer(call, ENGINE_CALL(pread, call->args[0], call->args[1], call->args[2], call->args[3]));
}

int on_pwrite64(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(pwrite, call->args[0], call->args[1], call->args[2], call->args[3]));
}

static int vectored(struct overlay_call *call, bool is_writing, int64_t offset, int flags)
{
    ON_SEALED(call);
    return answer(call, is_writing ? ENGINE_CALL(writev, call->args[0], call->args[1], call->args[2], offset, flags)
                                   : ENGINE_CALL(readv, call->args[0], call->args[1], call->args[2], offset, flags));
}

/* preadv and pwritev: -1 is no offset there, but EINVAL. */
static int vectored_at(struct overlay_call *call, bool is_writing)
{
    ON_SEALED(call);
    return call->args[3] < 0 ? answer(call, -EINVAL) : vectored(call, is_writing, call->args[3], 0);
}

int on_readv(struct overlay_call *call) { return vectored(call, false, -1, 0); }
int on_writev(struct overlay_call *call) { return vectored(call, true, -1, 0); }
int on_preadv(struct overlay_call *call) { return vectored_at(call, false); }
int on_pwritev(struct overlay_call *call) { return vectored_at(call, true); }

/* Here -1 is the descriptor's own. */
static int vectored_with_flags(struct overlay_call *call, bool is_writing)
{
    ON_SEALED(call);
    return call->args[3] < -1 ? answer(call, -EINVAL) : vectored(call, is_writing, call->args[3], (int)call->args[5]);
}

int on_preadv2(struct overlay_call *call) { return vectored_with_flags(call, false); }
int on_pwritev2(struct overlay_call *call) { return vectored_with_flags(call, true); }

/* What the kernel thinks of descriptors, offsets and flags: it looks at them before it sees that there is nothing to move. */
static long ask_kernel_with_size(struct overlay_call *call, int size_index)
{
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = i == size_index ? 0 : call->args[i];
    return overlay_raw_syscall6(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* splice looks at nothing if it has nothing to move: as fs/splice.c does otherwise. */
static long check_splice(struct overlay_call *call)
{
    struct stat in, out;
    if (call->args[4] == 0)
        return 0;
    if (sys_fstat((int)call->args[0], &in) < 0 || sys_fstat((int)call->args[2], &out) < 0)
        return -EBADF;
    bool is_from_pipe = S_ISFIFO(in.st_mode), is_to_pipe = S_ISFIFO(out.st_mode);
    long in_flags = sys_fcntl((int)call->args[0], F_GETFL, 0), out_flags = sys_fcntl((int)call->args[2], F_GETFL, 0);
    bool is_for_neither = (in_flags & O_ACCMODE) == O_ACCMODE || (out_flags & O_ACCMODE) == O_ACCMODE; /* for ioctl alone */
    if ((in_flags & O_ACCMODE) == O_WRONLY || (out_flags & O_ACCMODE) == O_RDONLY || is_for_neither || ((in_flags | out_flags) & O_PATH) != 0)
        return -EBADF;
    if ((is_from_pipe && call->args[1] != 0) || (is_to_pipe && call->args[3] != 0))
        return -ESPIPE;
    bool is_appending = !is_to_pipe && (out_flags & O_APPEND) != 0;
    return (!is_from_pipe && !is_to_pipe) || is_appending || (call->args[5] & ~15L) != 0 ? -EINVAL : 0;
}

/* What the other end of a pipe or a socket can be waited for; the rest never waits. */
static bool may_wait(struct overlay_call *call, int fd)
{
    struct stat status;
    bool is_told_not_to = (sys_fcntl(fd, F_GETFL, 0) & O_NONBLOCK) != 0 && (call->number != SYS_splice || (call->args[5] & SPLICE_F_NONBLOCK) == 0);
    return !is_told_not_to && sys_fstat(fd, &status) >= 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static bool is_pipe(int fd)
{
    struct stat status;
    return sys_fstat(fd, &status) >= 0 && S_ISFIFO(status.st_mode);
}

/* Not in the engine, where no signal comes through and a fork would wait, too. */
static long wait_for(int fd, short events, bool is_impatient)
{
    struct pollfd asked = {fd, events, 0};
    long ready = overlay_raw_syscall6(SYS_poll, (long)&asked, 1, is_impatient ? 0 : -1, 0, 0, 0);
    return ready == 0 ? -EAGAIN : ready;
}

/*
 * What an end that is ready takes without waiting: a page. But a stream socket is ready when a third of its buffer is free, and takes
 * an eighth of it, with all that the kernel adds.
 */
#define TAKEN_AT_ONCE 4096UL
static uint64_t taken_at_once(int fd)
{
    struct stat status;
    int type = 0, size = 0;
    unsigned type_length = sizeof type, size_length = sizeof size;
    if (sys_fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode) ||
        overlay_raw_syscall6(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&type_length, 0) < 0 || type != SOCK_STREAM ||
        overlay_raw_syscall6(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDBUF, (long)&size, (long)&size_length, 0) < 0)
        return TAKEN_AT_ONCE;
    return (uint64_t)size / 8 < TAKEN_AT_ONCE ? TAKEN_AT_ONCE : (uint64_t)size / 8;
}

/* Is either end sealed? Then the engine moves the bytes; PASS if neither is, HANDLED if one cannot be used. */
static int transfer(struct overlay_call *call, int in, int64_t *in_offset, int out, int64_t *out_offset, int size_index)
{
    uint64_t size = (uint64_t)call->args[size_index];
    int in_verdict = head(call, in);
    if (in_verdict == HANDLED)
        return HANDLED;
    int out_verdict = head(call, out);
    if (out_verdict == HANDLED)
        return HANDLED;
    if (in_verdict == PASS && out_verdict == PASS)
        return PASS;
    long error = call->number == SYS_splice ? check_splice(call) : ask_kernel_with_size(call, size_index);
    if (error < 0 || size == 0)
        return answer(call, error);
    bool is_distinct = call->number == SYS_copy_file_range && in_verdict == SEALED_GO_ON && out_verdict == SEALED_GO_ON;
    bool waits_for_input = in_verdict == PASS && may_wait(call, in), waits_for_room = out_verdict == PASS && may_wait(call, out);
    bool is_impatient = call->number == SYS_splice && (call->args[5] & SPLICE_F_NONBLOCK) != 0;
    uint64_t moved = 0, at_once = waits_for_room ? taken_at_once(out) : size;
    for (;;) {
        long result = waits_for_input ? wait_for(in, POLLIN, is_impatient) : 0;
        /* Into a pipe goes what it holds: its reader may be the one who calls. A socket takes all. */
        if (result >= 0 && waits_for_room)
            result = wait_for(out, POLLOUT, is_impatient || (moved > 0 && is_pipe(out)));
        uint64_t step = size - moved > at_once ? at_once : size - moved;
        if (result >= 0)
            result = ENGINE_CALL(transfer, in, (long)in_offset, out, (long)out_offset, (long)step,
                                 in_verdict != SEALED_GO_ON ? 0 : is_distinct ? OVERLAY_TRANSFER_DISTINCT : 1, out_verdict == SEALED_GO_ON);
        if (result < 0) /* of a directory there is nothing to splice, says the kernel */
            return answer(call, moved > 0 ? (long)moved : result == -EISDIR ? -EINVAL : result);
        moved += (uint64_t)result;
        if (!waits_for_room || (uint64_t)result < step || moved == size)
            return answer(call, (long)moved);
    }
}

int on_sendfile(struct overlay_call *call)
{
    return transfer(call, (int)call->args[1], (int64_t *)call->args[2], (int)call->args[0], NULL, 3);
}

int on_copy_file_range(struct overlay_call *call)
{
    return transfer(call, (int)call->args[0], (int64_t *)call->args[1], (int)call->args[2], (int64_t *)call->args[3], 4);
}

int on_splice(struct overlay_call *call)
{
    return transfer(call, (int)call->args[0], (int64_t *)call->args[1], (int)call->args[2], (int64_t *)call->args[3], 4);
}
