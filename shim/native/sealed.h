/* Is a call about a sealed file? What handlers ask first. */
#ifndef OVERLAY_SEALED_H
#define OVERLAY_SEALED_H

#include <errno.h>

#include "engine_call.h"
#include "fdtable.h"

/* If not, what the caller returns is in *verdict. */
static inline bool is_sealed(struct overlay_call *call, int fd, int *verdict)
{
    long state = fd_classify(fd);
    *verdict = state < 0 ? answer(call, state) : state == FD_RESERVED ? answer(call, -EBADF) : PASS;
    return state == FD_SEALED;
}

/* The call's first argument is the descriptor. */
#define ON_SEALED(call)                                                                                                \
    do {                                                                                                               \
        int verdict;                                                                                                   \
        if (!is_sealed(call, (int)(call)->args[0], &verdict))                                                          \
            return verdict;                                                                                            \
    } while (0)

#endif
