/*
 * many DIRECTORY COUNT SAMPLE: small files in a new directory: create, stat, read, append, rename, unlink, each of all of them.
 *
 * Sizes go from 100 bytes to 4 KB. A side that is too slow for COUNT files makes as many as ten time boxes allow.
 */
#include "measure.h"

enum { LARGEST = 4000 };

static uint8_t *s_sample, s_buffer[8192];
static size_t s_length;

static size_t size_of(long index) { return 100 + (size_t)index * 1117 % (LARGEST - 100); }

static const char *name_of(const char *kind, long index)
{
    static char name[64];
    snprintf(name, sizeof name, "%s-%ld", kind, index);
    return name;
}

static void create(long index)
{
    ssize_t size = (ssize_t)size_of(index);
    int fd = open(name_of("file", index), O_WRONLY | O_CREAT | O_EXCL, 0644);
    need(fd >= 0, "create");
    need(write(fd, s_sample + (size_t)index * 4099 % (s_length - LARGEST), (size_t)size) == size, "write");
    need(close(fd) == 0, "close");
}

static void look(long index)
{
    struct stat info;
    need(stat(name_of("file", index), &info) == 0 && info.st_size == (off_t)size_of(index), "stat");
}

static void read_all(long index)
{
    int fd = open(name_of("file", index), O_RDONLY);
    need(fd >= 0 && read(fd, s_buffer, sizeof s_buffer) == (ssize_t)size_of(index), "read");
    close(fd);
}

static void append(long index)
{
    int fd = open(name_of("file", index), O_WRONLY | O_APPEND);
    need(fd >= 0 && write(fd, s_sample, 100) == 100, "append");
    need(close(fd) == 0, "close");
}

static void rename_one(long index)
{
    char from[64];
    strcpy(from, name_of("file", index));
    need(rename(from, name_of("renamed", index)) == 0, "rename");
}

static void unlink_one(long index) { need(unlink(name_of("renamed", index)) == 0, "unlink"); }

static void list(long count)
{
    struct dirent *entry;
    DIR *directory = opendir(".");
    need(directory != NULL, "opendir");
    double start = seconds();
    long found = 0;
    while ((entry = readdir(directory)) != NULL)
        found += entry->d_name[0] != '.';
    printf("small-list us %.3f\n", (seconds() - start) * 1e6 / (double)count);
    closedir(directory);
    need(found == count, "readdir");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    double none = 1e9;
    s_sample = whole_file(argv[3], &s_length);
    need(mkdir(argv[1], 0755) == 0 && chdir(argv[1]) == 0, argv[1]);
    long count = row_each("small-create", create, 16, atol(argv[2]), time_box() * 10);
    row_each("small-stat", look, count, count, none);
    row_each("small-read", read_all, count, count, none);
    list(count);
    row_each("small-append", append, count, count, none);
    row_each("small-rename", rename_one, count, count, none);
    row_each("small-unlink", unlink_one, count, count, none);
    return 0;
}
