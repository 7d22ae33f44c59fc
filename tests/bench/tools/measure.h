/*
 * What the measuring programs share: the clock, the time box, real data, the lines of a result.
 *
 * Each prints lines "ROW UNIT VALUE". MB/s and op/s grow with speed; us and ms shrink.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

typedef void (*operation)(long index);

static inline void need(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

static inline double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How long an operation is repeated, so that slow sides do not take all day: BENCH_BOX, in seconds. */
static inline double time_box(void)
{
    const char *box = getenv("BENCH_BOX");
    return box != NULL ? atof(box) : 0.2;
}

static inline uint64_t draw(void)
{
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Repeats an operation until the time is over, or `most` were done; how many, and the seconds. The clock is looked at once a batch. */
static inline long repeat(operation run, long batch, long most, double box, double *took)
{
    double start = seconds();
    long done = 0;
    do {
        for (long i = 0; i < batch && done < most; i++)
            run(done++);
        *took = seconds() - start;
    } while (*took < box && done < most);
    return done;
}

static inline long row_each(const char *row, operation run, long batch, long most, double box)
{
    double took;
    long done = repeat(run, batch, most, box, &took);
    printf("%s us %.3f\n", row, took * 1e6 / (double)done);
    return done;
}

/* The whole of a file, with some bytes of room behind. Real data: zeros would flatter who compresses. */
static inline uint8_t *whole_file(const char *path, size_t *length)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    need(fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0, path);
    uint8_t *result = malloc((size_t)info.st_size);
    size_t at = 0;
    for (ssize_t got; at < (size_t)info.st_size && (got = read(fd, result + at, (size_t)info.st_size - at)) > 0;)
        at += (size_t)got;
    need(at == (size_t)info.st_size, path);
    close(fd);
    *length = at;
    return result;
}
