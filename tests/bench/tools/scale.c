/*
 * scale file NAME SIZE-IN-MB SAMPLE    the same random 4 KiB reads and writes of so many places of a sparse file, however large it is
 * scale files COUNT DIRECTORY SAMPLE   a directory tree that has COUNT files: create some more, stat, open-read-close at random
 * scale memory FILE SAMPLE             what a process has in memory that used one small file, and one that read all of FILE three times
 *
 * SIZE and COUNT go up from row to row: the time of an operation should not.
 */
#include "measure.h"
#include <sys/wait.h>

enum { PLACES = 64, PER_DIRECTORY = 1000, MORE = 300, SMALL = 1000 };

static uint8_t *s_sample, s_buffer[1 << 17];
static size_t s_length;
static int s_fd;
static off_t s_step;
static long s_count;

/* Spread over the file, each in a block of its own. */
static off_t place(long index) { return index % PLACES * s_step; }

static void one_write(long index)
{
    const uint8_t *data = s_sample + (size_t)index * 7 % (s_length / PAGE) * PAGE;
    need(pwrite(s_fd, data, PAGE, place((long)(draw() >> 1))) == PAGE, "pwrite");
}

static void one_read(long index)
{
    (void)index;
    need(pread(s_fd, s_buffer, PAGE, place((long)(draw() >> 1))) == PAGE, "pread");
}

static void file(const char *path, long megabytes)
{
    char row[64];
    s_step = (megabytes << 20) / PLACES;
    s_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    need(s_fd >= 0 && ftruncate(s_fd, megabytes << 20) == 0, path);
    for (long i = 0; i < PLACES; i++)
        need(pwrite(s_fd, s_sample, 16384, place(i)) == 16384, "pwrite");
    /* Each place once before: its first write is another operation. */
    for (long i = 0; i < PLACES; i++)
        need(pwrite(s_fd, s_sample + PAGE, PAGE, place(i)) == PAGE, "pwrite");
    snprintf(row, sizeof row, "file-%ldm-write-4k", megabytes);
    row_each(row, one_write, 16, 1L << 40, time_box());
    for (long i = 0; i < PLACES; i++)
        need(pread(s_fd, s_buffer, PAGE, place(i)) == PAGE, "pread");
    snprintf(row, sizeof row, "file-%ldm-read-4k", megabytes);
    row_each(row, one_read, 16, 1L << 40, time_box());
    need(close(s_fd) == 0 && unlink(path) == 0, path);
}

static const char *name_of(long index)
{
    static char name[64];
    snprintf(name, sizeof name, "%ld/%ld", index / PER_DIRECTORY, index);
    return name;
}

static void create(long index)
{
    int fd = open(name_of(index), O_WRONLY | O_CREAT | O_EXCL, 0644);
    need(fd >= 0 && write(fd, s_sample + (size_t)index * 4099 % (s_length - SMALL), SMALL) == SMALL, "create");
    need(close(fd) == 0, "close");
}

static void create_more(long index) { create(s_count + index); }

static void unlink_more(long index) { need(unlink(name_of(s_count + index)) == 0, "unlink"); }

static void look(long index)
{
    struct stat info;
    (void)index;
    need(stat(name_of((long)(draw() % (uint64_t)s_count)), &info) == 0 && info.st_size == SMALL, "stat");
}

static void read_one(long index)
{
    (void)index;
    int fd = open(name_of((long)(draw() % (uint64_t)s_count)), O_RDONLY);
    need(fd >= 0 && read(fd, s_buffer, sizeof s_buffer) == SMALL, "read");
    close(fd);
}

/* What is there of an earlier, smaller row stays. */
static void files(long count, const char *directory)
{
    char row[64], below[32];
    double took;
    need((mkdir(directory, 0755) == 0 || errno == EEXIST) && chdir(directory) == 0, directory);
    for (long i = 0; i <= (count + MORE) / PER_DIRECTORY; i++) {
        snprintf(below, sizeof below, "%ld", i);
        need(mkdir(below, 0755) == 0 || errno == EEXIST, below);
    }
    long have = count;
    while (have > 0 && access(name_of(have - 1), F_OK) != 0)
        have--;
    for (long i = have; i < count; i++)
        create(i);
    s_count = count;
    snprintf(row, sizeof row, "files-%ld-create", count);
    long made = repeat(create_more, 16, MORE, 1e9, &took);
    printf("%s us %.3f\n", row, took * 1e6 / (double)made);
    for (long i = 0; i < made; i++)
        unlink_more(i);
    snprintf(row, sizeof row, "files-%ld-stat", count);
    row_each(row, look, 16, 1L << 40, time_box());
    snprintf(row, sizeof row, "files-%ld-read", count);
    row_each(row, read_one, 16, 1L << 40, time_box());
}

static void in_memory(const char *row)
{
    char line[256];
    long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    need(status != NULL, "status");
    while (fgets(line, sizeof line, status) != NULL)
        sscanf(line, "VmRSS: %ld", &kilobytes);
    fclose(status);
    printf("%s MiB %.2f\n", row, (double)kilobytes / 1024);
    fflush(stdout);
}

static void memory(const char *path)
{
    char small[4096];
    in_memory("memory-untouched");
    snprintf(small, sizeof small, "%s.small", path);
    int fd = open(small, O_RDWR | O_CREAT | O_TRUNC, 0644);
    need(fd >= 0 && write(fd, "small", 5) == 5 && pread(fd, s_buffer, 5, 0) == 5, small);
    in_memory("memory-one-small-file");
    close(fd);
    unlink(small);
    fd = open(path, O_RDONLY);
    need(fd >= 0, path);
    for (int pass = 0; pass < 3; pass++)
        for (off_t at = 0; pread(fd, s_buffer, sizeof s_buffer, at) > 0; at += (off_t)sizeof s_buffer)
            ;
    in_memory("memory-large-file-read");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "memory") == 0) {
        memory(argv[2]);
        return 0;
    }
    if (argc != 5)
        return 2;
    s_sample = whole_file(argv[4], &s_length);
    if (strcmp(argv[1], "file") == 0)
        file(argv[2], atol(argv[3]));
    else
        files(atol(argv[2]), argv[3]);
    return 0;
}
