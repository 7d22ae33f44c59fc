/*
 * What system calls read and write of the program's memory. To the kernel, which cannot be told to wait, what is not filled is a bad pointer:
 * EFAULT. Here is what is as long as another argument says, or lies one pointer further; of what any argument points to the first PATH_SIZE bytes
 * are filled in any case: paths, addresses, small structures.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "dispatch.h"
#include "lazy.h"
#include "reachable.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum kind { NOTHING, BYTES, VECTORS, MESSAGE, MESSAGES, TEXTS, REQUESTS };

static const struct shape {
    uint8_t kind, pointer, size; /* size: the argument that counts bytes or elements */
} s_shapes[CALL_LIMIT] = {
    [SYS_read] = {BYTES, 1, 2}, [SYS_write] = {BYTES, 1, 2}, [SYS_pread64] = {BYTES, 1, 2}, [SYS_pwrite64] = {BYTES, 1, 2},
    [SYS_readv] = {VECTORS, 1, 2}, [SYS_writev] = {VECTORS, 1, 2}, [SYS_preadv] = {VECTORS, 1, 2}, [SYS_pwritev] = {VECTORS, 1, 2},
    [SYS_preadv2] = {VECTORS, 1, 2}, [SYS_pwritev2] = {VECTORS, 1, 2}, [SYS_vmsplice] = {VECTORS, 1, 2},
    [SYS_process_vm_readv] = {VECTORS, 1, 2}, [SYS_process_vm_writev] = {VECTORS, 1, 2},
    [SYS_sendto] = {BYTES, 1, 2}, [SYS_recvfrom] = {BYTES, 1, 2}, [SYS_sendmsg] = {MESSAGE, 1, 0}, [SYS_recvmsg] = {MESSAGE, 1, 0},
    [SYS_sendmmsg] = {MESSAGES, 1, 2}, [SYS_recvmmsg] = {MESSAGES, 1, 2}, [SYS_connect] = {BYTES, 1, 2}, [SYS_bind] = {BYTES, 1, 2},
    [SYS_readlink] = {BYTES, 1, 2}, [SYS_readlinkat] = {BYTES, 2, 3},
    [SYS_getdents] = {BYTES, 1, 2}, [SYS_getdents64] = {BYTES, 1, 2},
    [SYS_mq_timedsend] = {BYTES, 1, 2}, [SYS_mq_timedreceive] = {BYTES, 1, 2}, [SYS_msgsnd] = {BYTES, 1, 2}, [SYS_msgrcv] = {BYTES, 1, 2},
    [SYS_setxattr] = {BYTES, 2, 3}, [SYS_lsetxattr] = {BYTES, 2, 3}, [SYS_fsetxattr] = {BYTES, 2, 3}, [SYS_getxattr] = {BYTES, 2, 3},
    [SYS_lgetxattr] = {BYTES, 2, 3}, [SYS_fgetxattr] = {BYTES, 2, 3}, [SYS_listxattr] = {BYTES, 1, 2}, [SYS_llistxattr] = {BYTES, 1, 2},
    [SYS_flistxattr] = {BYTES, 1, 2}, [SYS_execve] = {TEXTS, 1, 0}, [SYS_execveat] = {TEXTS, 2, 0}, [SYS_io_submit] = {REQUESTS, 2, 1},
    [SYS_mlock] = {BYTES, 0, 1}, [SYS_mlock2] = {BYTES, 0, 1},
};

static void prepare_vectors(const struct iovec *vectors, uint64_t count)
{
    const uint64_t most = 1024; /* IOV_MAX */
    count = count < most ? count : most;
    lazy_make_present((uintptr_t)vectors, count * sizeof *vectors);
    for (uint64_t i = 0; i < count && can_read(&vectors[i], sizeof *vectors); i++)
        lazy_make_present((uintptr_t)vectors[i].iov_base, vectors[i].iov_len);
}

static void prepare_message(const struct msghdr *message)
{
    if (!can_read(message, sizeof *message))
        return;
    prepare_vectors(message->msg_iov, message->msg_iovlen);
    lazy_make_present((uintptr_t)message->msg_name, message->msg_namelen);
    lazy_make_present((uintptr_t)message->msg_control, message->msg_controllen);
}

static void prepare_messages(const struct mmsghdr *messages, uint64_t count)
{
    lazy_make_present((uintptr_t)messages, count * sizeof *messages);
    for (uint64_t i = 0; i < count && can_read(&messages[i], sizeof *messages); i++)
        prepare_message(&messages[i].msg_hdr);
}

/* execve's arguments, or its environment. */
static void prepare_texts(const char *const *texts)
{
    for (; can_read(texts, sizeof *texts) && *texts != NULL; texts++)
        lazy_make_present((uintptr_t)*texts, PATH_SIZE);
}

/* io_submit's: where the buffer lies in one, and where its length. */
static void prepare_requests(const uint64_t *const *requests, uint64_t count)
{
    for (uint64_t i = 0; i < count && can_read(&requests[i], sizeof *requests) && can_read(requests[i], 64); i++)
        lazy_make_present(requests[i][3], requests[i][4]);
}

static void prepare_shape(const struct shape *shape, const long *arguments)
{
    long pointer = arguments[shape->pointer];
    uint64_t size = (uint64_t)arguments[shape->size];
    switch (shape->kind) {
    case BYTES: lazy_make_present((uintptr_t)pointer, size); break;
    case VECTORS: prepare_vectors((const struct iovec *)pointer, size); break;
    case MESSAGE: prepare_message((const struct msghdr *)pointer); break;
    case MESSAGES: prepare_messages((const struct mmsghdr *)pointer, size); break;
    case TEXTS:
        prepare_texts((const char *const *)pointer);
        prepare_texts((const char *const *)arguments[shape->pointer + 1]);
        break;
    case REQUESTS: prepare_requests((const uint64_t *const *)pointer, size); break;
    }
}

/* Their arguments are addresses, but nothing is read there. */
static bool is_about_addresses(long number)
{
    return number == SYS_mmap || number == SYS_munmap || number == SYS_mremap || number == SYS_mprotect || number == SYS_pkey_mprotect ||
           number == SYS_msync || number == SYS_remap_file_pages || number == SYS_madvise || number == SYS_mlockall;
}

void lazy_prepare_call(const struct overlay_call *call)
{
    const long *arguments = call->args;
    if (is_about_addresses(call->number)) {
        if (call->number == SYS_madvise && (arguments[2] == MADV_POPULATE_READ || arguments[2] == MADV_POPULATE_WRITE))
            lazy_make_present((uintptr_t)arguments[0], (uint64_t)arguments[1]);
        if (call->number == SYS_mlockall && (arguments[0] & MCL_CURRENT) != 0)
            lazy_fill_all();
        return;
    }
    for (int i = 0; i < 6; i++)
        lazy_make_present((uintptr_t)arguments[i], PATH_SIZE);
    prepare_shape(&s_shapes[call->number], arguments);
}

void lazy_mark_interest(uint8_t *interest)
{
    for (int number = 0; number < CALL_LIMIT; number++)
        if (s_shapes[number].kind != NOTHING)
            interest[number] = 1;
    static const int others[] = {SYS_madvise, SYS_mlockall, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigsuspend, SYS_ppoll, SYS_pselect6,
                                 SYS_epoll_pwait, SYS_epoll_pwait2};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        interest[others[i]] = 1;
}
