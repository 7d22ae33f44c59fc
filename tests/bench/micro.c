/*
 * micro DIRECTORY [SCALE]: times file operations in a directory; one line each, "name unit value". Run once in a plain
 * directory and once in a volume, it gives the ratio. Rates are MB/s, the others nanoseconds an operation. SCALE
 * (percent) shortens it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 131072, PAGE = 4096 };

static uint64_t s_random = 88172645463325252ull;
static uint8_t s_text[CHUNK], s_noise[CHUNK], s_buffer[CHUNK];
static int s_scale = 100;

static uint64_t draw(void)
{
    s_random ^= s_random << 13;
    s_random ^= s_random >> 7;
    return s_random ^= s_random << 17;
}
static long scaled(long count)
{
    long result = count * s_scale / 100;
    return result > 0 ? result : 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void need(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}
static void rate(const char *name, double start, double bytes)
{
    printf("%s MB/s %.1f\n", name, bytes * 1e3 / (now() - start));
}
static void each(const char *name, double start, long count)
{
    printf("%s ns %.1f\n", name, (now() - start) / (double)count);
}

static void fill_samples(void)
{
    static const char words[][8] = {"block ", "entry ", "place ", "group ", "volume ", "store ", "agent ", "key "};
    for (size_t i = 0; i < CHUNK; i += 8) {
        uint64_t v = draw();
        memcpy(s_noise + i, &v, 8);
    }
    for (size_t at = 0; at < CHUNK;) {
        const char *word = words[draw() >> 40 & 7];
        size_t length = strlen(word) < CHUNK - at ? strlen(word) : CHUNK - at;
        memcpy(s_text + at, word, length);
        at += length;
    }
}

static void sequential(const char *kind, const uint8_t *sample, long chunks)
{
    char name[64];
    int fd = open(kind, O_RDWR | O_CREAT | O_TRUNC, 0644);
    need(fd >= 0, kind);
    double start = now();
    for (long i = 0; i < chunks; i++)
        need(write(fd, sample, CHUNK) == CHUNK, "write");
    snprintf(name, sizeof name, "write-sequential-%s", kind);
    rate(name, start, (double)chunks * CHUNK);
    for (int warm = 0; warm < 2; warm++) {
        lseek(fd, 0, SEEK_SET);
        start = now();
        for (long i = 0; i < chunks; i++)
            need(read(fd, s_buffer, CHUNK) == CHUNK, "read");
    }
    snprintf(name, sizeof name, "read-sequential-%s", kind);
    rate(name, start, (double)chunks * CHUNK);
    start = now();
    for (long i = 0; i < chunks; i++) {
        lseek(fd, i * CHUNK, SEEK_SET);
        need(write(fd, sample, CHUNK) == CHUNK, "write");
    }
    snprintf(name, sizeof name, "rewrite-sequential-%s", kind);
    rate(name, start, (double)chunks * CHUNK);
    close(fd);
}

static void random_access(const char *kind, const char *file, long pages, long count)
{
    char name[64];
    int fd = open(file, O_RDWR);
    need(fd >= 0, file);
    double start = now();
    for (long i = 0; i < count; i++)
        need(pread(fd, s_buffer, PAGE, (off_t)(draw() % (uint64_t)pages) * PAGE) == PAGE, "pread");
    snprintf(name, sizeof name, "pread-4k-%s", kind);
    each(name, start, count);
    start = now();
    for (long i = 0; i < count / 4; i++)
        need(pwrite(fd, s_noise + (i & 15) * PAGE, PAGE, (off_t)(draw() % (uint64_t)pages) * PAGE) == PAGE, "pwrite");
    snprintf(name, sizeof name, "pwrite-4k-%s", kind);
    each(name, start, count / 4);
    close(fd);
}

static void appends(long count)
{
    int fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0644);
    need(fd >= 0, "log");
    double start = now();
    for (long i = 0; i < count; i++)
        need(write(fd, s_text, 100) == 100, "append");
    each("append-100", start, count);
    start = now();
    for (long i = 0; i < 20; i++) {
        need(write(fd, s_text, 100) == 100, "append");
        need(fsync(fd) == 0, "fsync");
    }
    each("append-and-fsync", start, 20);
    close(fd);
}

static void small_files(long count)
{
    char name[32];
    struct stat info;
    mkdir("many", 0755);
#define FOR_EACH_FILE(label, body)                      \
    do {                                                \
        double start = now();                           \
        for (long i = 0; i < count; i++) {              \
            snprintf(name, sizeof name, "many/%ld", i); \
            body;                                       \
        }                                               \
        each(label, start, count);                      \
    } while (0)
    FOR_EACH_FILE("create-write-1k-close", {
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
        need(fd >= 0 && write(fd, s_text, 1024) == 1024, name);
        close(fd);
    });
    FOR_EACH_FILE("stat", need(stat(name, &info) == 0 && info.st_size == 1024, name));
    FOR_EACH_FILE("open-read-1k-close", {
        int fd = open(name, O_RDONLY);
        need(fd >= 0 && read(fd, s_buffer, PAGE) == 1024, name);
        close(fd);
    });
    FOR_EACH_FILE("open-close", {
        int fd = open(name, O_RDONLY);
        need(fd >= 0, name);
        close(fd);
    });
    double start = now();
    DIR *directory = opendir("many");
    while (readdir(directory) != NULL) {
    }
    closedir(directory);
    each("readdir-an-entry", start, count);
    FOR_EACH_FILE("unlink", need(unlink(name) == 0, name));
    rmdir("many");
}

static void pass_through(long count)
{
    struct stat info;
    int fd = open("/proc/self/exe", O_RDONLY);
    double start = now();
    for (long i = 0; i < count; i++)
        need(pread(fd, s_buffer, 64, 0) == 64, "pread");
    each("other-file-pread-64", start, count);
    start = now();
    for (long i = 0; i < count; i++)
        need(fstat(fd, &info) == 0, "fstat");
    each("other-file-fstat", start, count);
    close(fd);
}

static void sealed_calls(long count)
{
    struct stat info;
    int fd = open("noise", O_RDONLY);
    need(fd >= 0, "noise");
    double start = now();
    for (long i = 0; i < count; i++)
        need(pread(fd, s_buffer, PAGE, 8192) == PAGE, "pread");
    each("pread-4k-hot", start, count);
    start = now();
    for (long i = 0; i < count; i++)
        need(fstat(fd, &info) == 0, "fstat");
    each("fstat-open-file", start, count);
    start = now();
    for (long i = 0; i < 10; i++) {
        void *memory = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, fd, 0);
        need(memory != MAP_FAILED, "mmap");
        uint64_t sum = 0;
        for (size_t at = 0; at < 1 << 20; at += PAGE)
            sum += ((volatile uint8_t *)memory)[at];
        (void)sum;
        munmap(memory, 1 << 20);
    }
    each("mmap-private-1m", start, 10);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0) {
        perror("micro");
        return 2;
    }
    if (argc > 2)
        s_scale = atoi(argv[2]);
    long chunks = scaled(512);
    fill_samples();
    pass_through(200000);
    sequential("noise", s_noise, chunks);
    sequential("text", s_text, chunks);
    random_access("of-64m", "noise", chunks * CHUNK / PAGE, scaled(40000));
    random_access("of-1m", "text", 256, scaled(40000));
    sealed_calls(scaled(100000));
    appends(scaled(20000));
    small_files(scaled(2000));
    unlink("noise");
    unlink("text");
    unlink("log");
    return 0;
}
