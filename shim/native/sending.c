/* Descriptors that are sent over a socket: the receiver shares their descriptions with us, as a child does (fork.h). */
#include <sys/socket.h>

#include "calls.h"
#include "fork.h"
#include "reachable.h"

static bool carries_descriptors(const struct msghdr *message)
{
    if (message->msg_controllen < sizeof(struct cmsghdr) || !can_read(message->msg_control, message->msg_controllen))
        return false;
    const char *at = message->msg_control, *end = at + message->msg_controllen;
    while (end - at >= (long)sizeof(struct cmsghdr)) {
        const struct cmsghdr *part = (const struct cmsghdr *)at;
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            return true;
        if (part->cmsg_len < sizeof *part || part->cmsg_len > (size_t)(end - at))
            return false;
        at += CMSG_ALIGN(part->cmsg_len);
    }
    return false;
}

/* Counted before they go: from then on the other process may change offset and flags. */
static void note(const struct msghdr *message)
{
    if (carries_descriptors(message))
        __atomic_add_fetch(&overlay_fork_count, 1, __ATOMIC_RELAXED);
}

int on_sendmsg(struct overlay_call *call)
{
    const struct msghdr *message = (const struct msghdr *)call->args[1];
    if (can_read(message, sizeof *message))
        note(message);
    return PASS;
}

int on_sendmmsg(struct overlay_call *call)
{
    const struct mmsghdr *messages = (const struct mmsghdr *)call->args[1];
    unsigned count = (unsigned)call->args[2];
    for (unsigned i = 0; i < count && can_read(&messages[i], sizeof messages[i]); i++)
        note(&messages[i].msg_hdr);
    return PASS;
}
