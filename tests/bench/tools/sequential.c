/*
 * sequential write ROW FILE CALL SAMPLE   writes the sample's bytes to a new file, CALL bytes each time, and closes it
 * sequential read ROW FILE CALL PASSES    reads it from start to end, PASSES times, or for the time box if 0
 */
#include "measure.h"

static const char *s_path;
static uint8_t *s_buffer, *s_sample;
static size_t s_call, s_length;

static void write_file(long index)
{
    (void)index;
    int fd = open(s_path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    need(fd >= 0, s_path);
    for (size_t at = 0; at + s_call <= s_length; at += s_call)
        need(write(fd, s_sample + at, s_call) == (ssize_t)s_call, "write");
    need(close(fd) == 0, "close");
}

static int s_fd;

static void read_file(long index)
{
    (void)index;
    need(lseek(s_fd, 0, SEEK_SET) == 0, "lseek");
    ssize_t got;
    for (size_t at = 0; at < s_length; at += (size_t)got)
        need((got = read(s_fd, s_buffer, s_call)) > 0, "read");
}

static void rate(const char *row, long files, double took)
{
    printf("%s MB/s %.2f\n", row, (double)files * (double)s_length / took / 1e6);
}

/* A new file each time, and the old one removed out of the clock's sight. */
static void measure_writes(const char *row)
{
    double box = time_box(), sum = 0;
    long files = 0;
    s_length = s_length / s_call * s_call;
    do {
        double took;
        unlink(s_path);
        files += repeat(write_file, 1, 1, 0, &took);
        sum += took;
    } while (sum < box);
    rate(row, files, sum);
}

static void measure_reads(const char *row, long passes)
{
    struct stat info;
    s_fd = open(s_path, O_RDONLY);
    need(s_fd >= 0 && fstat(s_fd, &info) == 0 && info.st_size > 0, s_path);
    s_length = (size_t)info.st_size;
    s_buffer = malloc(s_call);
    memset(s_buffer, 1, s_call);
    if (passes == 0)
        read_file(0);
    double took;
    long files = repeat(read_file, 1, passes > 0 ? passes : 1000000, time_box(), &took);
    rate(row, files, took);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    s_path = argv[3];
    s_call = (size_t)atol(argv[4]);
    if (strcmp(argv[1], "write") == 0) {
        s_sample = whole_file(argv[5], &s_length);
        measure_writes(argv[2]);
    } else {
        measure_reads(argv[2], atol(argv[5]));
    }
    return 0;
}
