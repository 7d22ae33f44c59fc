/*
 * ioctls DIRECTORY OUTSIDE MARKER: requests that change what a file's stored bytes are: XFS's old ways to allocate and punch, which the kernel
 * knows for every file system, and those that put one file's blocks behind another's name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 200000
#define PAGE 4096

struct space_range {
    int16_t type, whence;
    int64_t start, length;
    int32_t system, process, unused[4];
};

struct move_extent { /* ext4's */
    uint32_t reserved, donor;
    uint64_t from, to, count, moved;
};
#define MOVE_EXTENT _IOWR('f', 15, struct move_extent)

struct range_of_clone {
    int64_t source;
    uint64_t from, length, to;
};
#define CLONE_RANGE _IOW(0x94, 13, struct range_of_clone)

static char s_bytes[SIZE];

/* Ends in a number for the bytes, so that one wrong bit of the file shows. */
static void look(int fd, const char *what, long result)
{
    int error = errno;
    struct stat status;
    fstat(fd, &status);
    ssize_t count = pread(fd, s_bytes, SIZE, 0);
    uint32_t sum = 0;
    for (ssize_t i = 0; i < count; i++)
        sum = sum * 31 + (unsigned char)s_bytes[i];
    printf("%s: %ld %s, %ld bytes, %zd read, %08x\n", what, result, result < 0 ? strerror(error) : "", (long)status.st_size, count, sum);
}

static int make(const char *path, const char *marker, int flags)
{
    size_t length = strlen(marker);
    for (size_t i = 0; i < SIZE; i++)
        s_bytes[i] = i / 1000 % 3 == 0 ? (char)(i * 7 + i / 256) : marker[i % length];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, s_bytes, SIZE) != SIZE)
        perror(path);
    fsync(fd);
    if (flags == O_RDWR)
        return fd;
    close(fd);
    return open(path, flags);
}

static void ranges(const char *marker)
{
    static const struct {
        const char *name;
        unsigned long request;
    } requests[] = {
        {"reserve", _IOW('X', 40, struct space_range)}, {"reserve 64", _IOW('X', 42, struct space_range)},
        {"punch", _IOW('X', 41, struct space_range)}, {"punch 64", _IOW('X', 43, struct space_range)},
        {"zero", _IOW('X', 57, struct space_range)},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int fd = make("file", marker, O_RDWR);
        lseek(fd, 20000, SEEK_SET);
        struct space_range range = {.whence = SEEK_SET, .start = 5000, .length = 30000};
        look(fd, requests[i].name, ioctl(fd, requests[i].request, &range));
        range = (struct space_range){.whence = SEEK_CUR, .start = 50000, .length = 30000};
        look(fd, "from the offset", ioctl(fd, requests[i].request, &range));
        range = (struct space_range){.whence = SEEK_END, .start = -3000, .length = 9000};
        look(fd, "around the end", ioctl(fd, requests[i].request, &range));
        range = (struct space_range){.whence = SEEK_SET, .start = -1, .length = 10};
        look(fd, "before the start", ioctl(fd, requests[i].request, &range));
        range = (struct space_range){.whence = SEEK_SET, .start = 0, .length = 0};
        look(fd, "nothing", ioctl(fd, requests[i].request, &range));
        range = (struct space_range){.whence = 7, .start = 0, .length = 10};
        look(fd, "from where?", ioctl(fd, requests[i].request, &range));
        look(fd, "no range", ioctl(fd, requests[i].request, NULL));
        close(fd);
        fd = make("file", marker, O_RDONLY);
        range = (struct space_range){.whence = SEEK_SET, .start = 5000, .length = 30000};
        look(fd, "read-only", ioctl(fd, requests[i].request, &range));
        close(fd);
    }
}

/* Whether they succeed differs; the file here stays readable, and none of the plain file's blocks come to lie behind its name. */
static void foreign_blocks(const char *outside, const char *marker)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/plain", outside);
    int plain = make(path, marker, O_RDWR), fd = make("file", marker, O_RDWR);
    struct move_extent move = {.donor = (uint32_t)fd, .count = 8};
    (void)ioctl(plain, MOVE_EXTENT, &move);
    look(fd, "blocks moved away", 0);
    move = (struct move_extent){.donor = (uint32_t)plain, .count = 8};
    (void)ioctl(fd, MOVE_EXTENT, &move);
    look(fd, "blocks moved here", 0);
    struct range_of_clone clone = {.source = plain, .length = PAGE};
    int request = (int)CLONE_RANGE;
    (void)ioctl(fd, request, &clone);
    look(fd, "blocks shared", 0);
    unlink(path);
    unlink("file"); /* what a plain one has now depends on what the kernel had written by then */
}

int main(int argc, char **argv)
{
    if (argc != 4 || chdir(argv[1]) < 0)
        return 2;
    ranges(argv[3]);
    foreign_blocks(argv[2], argv[3]);
    return 0;
}
