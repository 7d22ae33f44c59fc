/*
 * ring MARKER: writes a file through an io_uring that it sets up with system calls of its own, as liburing does, or as usual where the kernel has
 * none. A ring on a sealed file would write plaintext past the filter.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "raw.h"

static int write_by_ring(int fd, const char *text, size_t size)
{
    struct io_uring_params params = {0};
    long ring = raw6(SYS_io_uring_setup, 2, (long)&params, 0, 0, 0, 0);
    if (ring < 0)
        return 0;
    size_t length = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    char *sq = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, completions, PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED)
        return 0;
    entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = fd, .addr = (uint64_t)text, .len = (uint32_t)size};
    ((uint32_t *)(sq + params.sq_off.array))[0] = 0;
    __atomic_store_n((uint32_t *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (raw6(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) != 1)
        return 0;
    return ((struct io_uring_cqe *)(cq + params.cq_off.cqes))[0].res == (int)size;
}

int main(int count, char **arguments)
{
    char text[4096];
    size_t size = 0;
    for (int line = 0; count > 1 && line < 40; line++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%d %s\n", line, arguments[1]);
    int fd = open("by-ring", O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || (!write_by_ring(fd, text, size) && pwrite(fd, text, size, 0) != (ssize_t)size))
        return 1;
    char back[sizeof text];
    ssize_t got = pread(fd, back, sizeof back, 0);
    printf("%zd %d\n", got, got == (ssize_t)size && memcmp(text, back, size) == 0);
    return 0;
}
