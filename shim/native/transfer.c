/* read, write and their kin, sendfile, copy_file_range, splice: everything that moves bytes. */
#include <errno.h>

#include "calls.h"
#include "engine_call.h"
#include "fdtable.h"
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
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(read, call->args[0], call->args[1], call->args[2]));
}

int on_write(struct overlay_call *call)
{
    ON_SEALED(call);
    return answer(call, ENGINE_CALL(write, call->args[0], call->args[1], call->args[2]));
}

int on_pread64(struct overlay_call *call)
{
    ON_SEALED(call);
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
int on_preadv2(struct overlay_call *call) { return vectored(call, false, call->args[3], (int)call->args[5]); }
int on_pwritev2(struct overlay_call *call) { return vectored(call, true, call->args[3], (int)call->args[5]); }

/* Is either end sealed? Then the engine moves the bytes; PASS if neither is, HANDLED if one cannot be used. */
static int transfer(struct overlay_call *call, int in, int64_t *in_offset, int out, int64_t *out_offset, uint64_t size)
{
    int in_verdict = head(call, in);
    if (in_verdict == HANDLED)
        return HANDLED;
    int out_verdict = head(call, out);
    if (out_verdict == HANDLED)
        return HANDLED;
    if (in_verdict == PASS && out_verdict == PASS)
        return PASS;
    return answer(call, ENGINE_CALL(transfer, in, (long)in_offset, out, (long)out_offset, (long)size,
                                    in_verdict == SEALED_GO_ON, out_verdict == SEALED_GO_ON));
}

int on_sendfile(struct overlay_call *call)
{
    return transfer(call, (int)call->args[1], (int64_t *)call->args[2], (int)call->args[0], NULL,
                    (uint64_t)call->args[3]);
}

int on_copy_file_range(struct overlay_call *call)
{
    return transfer(call, (int)call->args[0], (int64_t *)call->args[1], (int)call->args[2], (int64_t *)call->args[3],
                    (uint64_t)call->args[4]);
}

int on_splice(struct overlay_call *call)
{
    return transfer(call, (int)call->args[0], (int64_t *)call->args[1], (int)call->args[2], (int64_t *)call->args[3],
                    (uint64_t)call->args[4]);
}
