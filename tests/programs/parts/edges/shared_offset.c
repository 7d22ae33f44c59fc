/*
 * shared_offset FILE: a description that several processes have is read and written by all of them at once. Each byte is read once, each
 * record written whole.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 12000, CHILDREN = 5, RECORD = 700 };

static uint32_t *s_seen; /* by value */

static void read_all(int fd, int number)
{
    unsigned char bytes[7];
    struct iovec parts[] = {{bytes, 2}, {bytes + 2, 3}};
    ssize_t size;
    while ((size = number % 2 == 0 ? read(fd, bytes, 1 + (size_t)number) : readv(fd, parts, 2)) > 0)
        for (ssize_t i = 0; i < size; i++)
            __atomic_add_fetch(&s_seen[bytes[i]], 1, __ATOMIC_RELAXED);
    _exit(size < 0);
}

static void write_all(int fd, int number)
{
    char record[RECORD];
    memset(record, 'a' + number, sizeof record);
    for (int i = 0; i < 60; i++)
        if (write(fd, record, sizeof record) != sizeof record)
            _exit(1);
    _exit(0);
}

static int in_children(int fd, void (*work)(int, int))
{
    int failed = 0, status;
    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0)
            work(fd, i);
    while (wait(&status) > 0)
        failed += status != 0;
    return failed;
}

int main(int count, char **arguments)
{
    unsigned char bytes[BYTES];
    s_seen = mmap(NULL, 256 * sizeof *s_seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fd = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0600), wrong = 0;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i % 250);
    if (count != 2 || write(fd, bytes, BYTES) != BYTES || lseek(fd, 0, SEEK_SET) != 0)
        return 1;
    int failed = in_children(fd, read_all);
    for (int i = 0; i < 250; i++)
        wrong += s_seen[i] != BYTES / 250;
    printf("%d readers failed, %d values were not read as often as they are there\n", failed, wrong);

    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return 1;
    failed = in_children(fd, write_all);
    printf("%d writers failed, at %ld\n", failed, (long)lseek(fd, 0, SEEK_CUR));
    char record[RECORD];
    for (wrong = 0, count = 0; pread(fd, record, RECORD, (off_t)count * RECORD) == RECORD; count++)
        wrong += memcmp(record, record + 1, RECORD - 1) != 0;
    printf("%d records, %d of them torn\n", count, wrong);
    return 0;
}
