/*
 * operations NAME DIRECTORY COUNT SAMPLE: does one thing COUNT times in a directory, for who counts its system calls or profiles it.
 *
 * The files that it uses are made by "prepare" with the largest COUNT.
 */
#include "measure.h"

enum { MEGABYTES = 16 };

static uint8_t *s_sample, s_buffer[16384];
static size_t s_length;
static int s_fd = -1;

static const char *name_of(const char *kind, long index)
{
    static char name[64];
    snprintf(name, sizeof name, "%s-%ld", kind, index);
    return name;
}

static void small_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    need(fd >= 0 && write(fd, s_sample, 1000) == 1000, name);
    close(fd);
}

static void read_file(const char *name)
{
    int fd = open(name, O_RDONLY);
    need(fd >= 0 && read(fd, s_buffer, sizeof s_buffer) == 1000, name);
    close(fd);
}

static void append_other(long index)
{
    int fd = open(name_of("small", index), O_WRONLY | O_APPEND);
    need(fd >= 0 && write(fd, s_sample, 100) == 100, "append");
    close(fd);
}

static void create(long index) { small_file(name_of("new", index)); }
static void read_other(long index) { read_file(name_of("small", index)); }
static void read_again(long index) { (void)index; read_file("small-0"); }
static void pread_hot(long index) { need(pread(s_fd, s_buffer, PAGE, index % 16 * PAGE) == PAGE, "pread"); }
static void pread_cold(long index)
{
    need(pread(s_fd, s_buffer, PAGE, index * 7 * PAGE % (MEGABYTES << 20)) == PAGE, "pread");
}
static void pwrite_4k(long index)
{
    need(pwrite(s_fd, s_sample + index % 16 * PAGE, PAGE, index * 7 * PAGE % (MEGABYTES << 20)) == PAGE, "pwrite");
}
static void pwrite_16k(long index)
{
    need(pwrite(s_fd, s_sample + index % 16 * PAGE, sizeof s_buffer, index * 7 * 16384 % (MEGABYTES << 20)) == 16384, "pwrite");
}
static void append(long index) { need(write(s_fd, s_sample + index % 1000, 100) == 100, "append"); }
static void append_fsync(long index)
{
    append(index);
    need(fsync(s_fd) == 0, "fsync");
}
static void read_128k(long index)
{
    static uint8_t large[131072];
    need(pread(s_fd, large, sizeof large, index * (off_t)sizeof large % (MEGABYTES << 20)) == sizeof large, "pread");
}
static void write_128k(long index)
{
    enum { LARGE = 131072 };
    need(pwrite(s_fd, s_sample + index % 16 * PAGE, LARGE, index * LARGE % (MEGABYTES << 20)) == LARGE, "pwrite");
}
static void look(long index)
{
    struct stat info;
    need(stat(name_of("small", index), &info) == 0 && info.st_size == 1000, "stat");
}
static void rename_one(long index)
{
    char from[64];
    strcpy(from, name_of("small", index));
    need(rename(from, name_of("renamed", index)) == 0, "rename");
}
static void unlink_one(long index) { need(unlink(name_of("small", index)) == 0, "unlink"); }

static void prepare(long count)
{
    for (long i = 0; i < count; i++)
        small_file(name_of("small", i));
    int fd = open("large", O_WRONLY | O_CREAT | O_EXCL, 0644);
    need(fd >= 0, "large");
    for (int i = 0; i < MEGABYTES; i++)
        need(write(fd, s_sample, 1 << 20) == 1 << 20, "write");
    close(fd);
}

static const struct {
    const char *name, *file;
    operation run;
    int flags;
} s_all[] = {
    {"stat", NULL, look, 0},
    {"open-read-close-again", NULL, read_again, 0},
    {"open-read-close-another", NULL, read_other, 0},
    {"open-append-close", NULL, append_other, 0},
    {"create-write-close", NULL, create, 0},
    {"rename", NULL, rename_one, 0},
    {"unlink", NULL, unlink_one, 0},
    {"pread-4k-hot", "large", pread_hot, O_RDONLY},
    {"pread-4k", "large", pread_cold, O_RDONLY},
    {"pread-128k", "large", read_128k, O_RDONLY},
    {"pwrite-4k", "large", pwrite_4k, O_RDWR},
    {"pwrite-16k", "large", pwrite_16k, O_RDWR},
    {"pwrite-128k", "large", write_128k, O_RDWR},
    {"append-100", "log", append, O_WRONLY | O_APPEND | O_CREAT},
    {"append-100-fsync", "log", append_fsync, O_WRONLY | O_APPEND | O_CREAT},
};

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    s_sample = whole_file(argv[4], &s_length);
    need(s_length >= 1 << 20 && chdir(argv[2]) == 0, argv[2]);
    long count = atol(argv[3]);
    if (strcmp(argv[1], "prepare") == 0) {
        prepare(count);
        return 0;
    }
    for (size_t i = 0; i < sizeof s_all / sizeof *s_all; i++)
        if (strcmp(argv[1], s_all[i].name) == 0) {
            double took;
            if (s_all[i].file != NULL)
                need((s_fd = open(s_all[i].file, s_all[i].flags, 0644)) >= 0, s_all[i].file);
            repeat(s_all[i].run, count, count, 1e9, &took);
            return 0;
        }
    fprintf(stderr, "operations: no %s\n", argv[1]);
    return 2;
}
