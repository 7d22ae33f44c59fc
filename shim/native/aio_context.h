/*
 * Contexts of native asynchronous I/O (io_setup). The kernel's would read and write sealed files behind our back, so a program gets ours:
 * the same ring of completed requests, at the address that is the context's name, which some programs (qemu, fio, libaio itself) read without
 * a system call. A context is the process's: a forked child has none, as with the kernel's.
 */
#ifndef OVERLAY_AIO_CONTEXT_H
#define OVERLAY_AIO_CONTEXT_H

#include <linux/aio_abi.h>

#include "borrowed.h"
#include "filter.h"

/* The context's name in *made; EINVAL, EAGAIN or ENOMEM as from io_setup. */
long aio_context_make(uint64_t asked, aio_context_t *made) HIDDEN;

long aio_context_destroy(aio_context_t context) HIDDEN;

/* EINVAL where there is no such context; otherwise how many requests one call may bring. */
long aio_context_capacity(aio_context_t context) HIDDEN;

/* Room for one completion, or EAGAIN. It is given back by aio_context_post, with the completion or (NULL) without. */
long aio_context_reserve(aio_context_t context) HIDDEN;
void aio_context_post(aio_context_t context, const struct io_event *event) HIDDEN;

/* Takes at most `limit` completions; how many. */
long aio_context_take(aio_context_t context, long limit, struct io_event *events) HIDDEN;

/* Changes with each completion and each end of a context: a futex. */
extern uint32_t overlay_aio_changes HIDDEN;

/* A child of posix_spawn shares our memory, and so the contexts, but must not take their lock: it might be killed with it. */
static inline bool aio_is_out_of_reach(void)
{
    return is_borrowed_memory();
}

/* In a forked child, at once. */
void aio_contexts_in_child(void) HIDDEN;

#endif
