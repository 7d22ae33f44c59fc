/*
 * writers DIRECTORY: 2 to 16 processes, each with up to 4 threads, use the same files at once: records appended with O_APPEND and through one
 * description that all share, cells overwritten and cut off while others read them, counters under each kind of lock, a name
 * that comes and goes. Afterwards a fresh look finds nothing lost, nothing torn and nothing twice.
 * Environment: TORTURE_SEED, TORTURE_WRITES (steps of each thread), TORTURE_TORN (1: the file system may tear a cell that is read while it
 * is written, as plain ones do).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define PROCESS_LIMIT 16
#define THREAD_LIMIT 4
#define WRITERS (PROCESS_LIMIT * THREAD_LIMIT)
#define CELL 4096 /* the first word is the tag, the rest follows from it and the position */
#define CELLS 160
#define CELLS_AT_ONCE 8
#define RECORD_LIMIT 40000
#define RECORD_MAGIC 0x77726974u

struct record {
    uint32_t magic, writer, number, length; /* of what follows */
};

/* Seen by all processes. */
static struct totals {
    uint64_t writes, reads, cuts;
    uint32_t records[2][WRITERS]; /* how many of each writer's are in `log`, in `common` */
    uint64_t counted[3];
} *s_totals;

static const char *s_directory;
static int s_common; /* opened before all forks */
static uint64_t s_steps;
static bool s_may_tear;

struct writer {
    int id, log, log_again, cells, cut;
    struct random random;
    uint64_t next_tag;
    unsigned char buffer[RECORD_LIMIT + sizeof(struct record)];
};

static const char *name_of(const char *name)
{
    static __thread char t_path[4200];
    snprintf(t_path, sizeof t_path, "%s/%s", s_directory, name);
    return t_path;
}

static int opened(const char *name, int flags)
{
    int fd = open(name_of(name), flags | O_CLOEXEC, 0600);
    must(fd >= 0);
    return fd;
}

static void count(uint64_t *total)
{
    __atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
}

static uint64_t tag_of_record(const struct record *record)
{
    return record->writer * 1000003ULL + record->number;
}

/* One call, one record; whoever reads them in a row sees each writer's in order. */
static void append(struct writer *writer, int fd, int file)
{
    uint32_t *number = &s_totals->records[file][writer->id];
    struct record record = {RECORD_MAGIC, (uint32_t)writer->id, *number, (uint32_t)skewed(&writer->random, RECORD_LIMIT)};
    unsigned char *body = writer->buffer + sizeof record;
    ssize_t whole = (ssize_t)(sizeof record + record.length);
    fill(body, record.length, tag_of_record(&record), 0);
    if (chance(&writer->random, 50)) {
        struct iovec parts[] = {{&record, sizeof record}, {body, record.length}};
        must(writev(fd, parts, 2) == whole);
    } else {
        memcpy(writer->buffer, &record, sizeof record);
        must(write(fd, writer->buffer, (size_t)whole) == whole);
    }
    (*number)++;
    count(&s_totals->writes);
}

static void fill_cell(unsigned char *cell, uint64_t tag, uint64_t index)
{
    memcpy(cell, &tag, sizeof tag);
    fill(cell + sizeof tag, CELL - sizeof tag, tag, index * CELL);
}

static void check_cell(const unsigned char *cell, uint64_t index, const char *where)
{
    uint64_t tag;
    memcpy(&tag, cell, sizeof tag);
    if (tag == 0) {
        for (size_t i = 0; i < CELL; i++)
            if (cell[i] != 0)
                fail("%s: cell %llu has no tag, but byte %zu is not zero", where, (unsigned long long)index, i);
        return;
    }
    size_t wrong = check(cell + sizeof tag, CELL - sizeof tag, tag, index * CELL);
    if (wrong != CELL - sizeof tag)
        fail("%s: cell %llu of writer %llu is torn at byte %zu", where, (unsigned long long)index, (unsigned long long)(tag >> 40), wrong);
}

/* Those of two writers may overlap. */
static void write_cells(struct writer *writer, int fd)
{
    uint64_t first = below(&writer->random, CELLS), cells = 1 + below(&writer->random, CELLS_AT_ONCE);
    if (cells > CELLS - first)
        cells = CELLS - first;
    uint64_t tag = (uint64_t)(writer->id + 1) << 40 | ++writer->next_tag;
    for (uint64_t i = 0; i < cells; i++)
        fill_cell(writer->buffer + i * CELL, tag, first + i);
    must(pwrite(fd, writer->buffer, cells * CELL, (off_t)(first * CELL)) == (ssize_t)(cells * CELL));
    count(&s_totals->writes);
}

static void read_cells(struct writer *writer, int fd, const char *where)
{
    uint64_t first = below(&writer->random, CELLS);
    ssize_t size = pread(fd, writer->buffer, CELLS_AT_ONCE * CELL, (off_t)(first * CELL));
    must(size >= 0);
    if (size % CELL != 0)
        fail("%s: %zd bytes at cell %llu, but it has whole cells at any time", where, size, (unsigned long long)first);
    for (uint64_t i = 0; i < (uint64_t)size / CELL && !s_may_tear; i++)
        check_cell(writer->buffer + i * CELL, first + i, where);
    count(&s_totals->reads);
}

static void cut_cells(struct writer *writer)
{
    off_t length = (off_t)(below(&writer->random, CELLS + 1) * CELL);
    if (chance(&writer->random, 50))
        must(ftruncate(writer->cut, length) == 0);
    else
        must(truncate(name_of("cut"), length) == 0);
    count(&s_totals->cuts);
}

static const char *const s_counters[] = {"counter-posix", "counter-description", "counter-flock"};

/* Locks of processes are taken by the first thread of each alone. */
static void count_locked(struct writer *writer)
{
    int kind = (int)below(&writer->random, 3);
    if (kind == 0 && writer->id % THREAD_LIMIT != 0)
        kind = 1;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 8};
    int fd = opened(s_counters[kind], O_RDWR);
    uint64_t value;
    must(kind == 2 ? flock(fd, LOCK_EX) == 0 : fcntl(fd, kind == 0 ? F_SETLKW : F_OFD_SETLKW, &lock) == 0);
    must(pread(fd, &value, sizeof value, 0) == sizeof value);
    value++;
    must(pwrite(fd, &value, sizeof value, 0) == sizeof value);
    close(fd);
    count(&s_totals->counted[kind]);
}

/* A file without a name, or one that others replace, stays what it is to who has it open. */
static void use_nameless(struct writer *writer)
{
    uint64_t tag = (uint64_t)(writer->id + 1) << 40 | ++writer->next_tag;
    size_t size = skewed(&writer->random, RECORD_LIMIT);
    char name[40], old[4200];
    snprintf(name, sizeof name, "new-%d", writer->id);
    int fd = opened(name, O_RDWR | O_CREAT | O_TRUNC);
    fill(writer->buffer, size, tag, 0);
    must(write(fd, writer->buffer, size) == (ssize_t)size);
    strcpy(old, name_of(name));
    must((chance(&writer->random, 50) ? unlink(old) : rename(old, name_of("replaced"))) == 0);
    memset(writer->buffer, 0, size);
    must(pread(fd, writer->buffer, size, 0) == (ssize_t)size);
    if (check(writer->buffer, size, tag, 0) != size)
        fail("a file that lost its name changed");
    close(fd);
    count(&s_totals->writes);
}

static void *work(void *argument)
{
    struct writer *writer = argument;
    for (uint64_t step = 0; step < s_steps; step++) {
        switch (below(&writer->random, 10)) {
        case 0: append(writer, writer->log, 0); break;
        case 1: append(writer, writer->log_again, 0); break;
        case 2: append(writer, s_common, 1); break;
        case 3: write_cells(writer, writer->cells); break;
        case 4: write_cells(writer, writer->cut); break;
        case 5: read_cells(writer, writer->cells, "cells"); break;
        case 6: read_cells(writer, writer->cut, "cut"); break;
        case 7: cut_cells(writer); break;
        case 8: count_locked(writer); break;
        case 9: use_nameless(writer); break;
        }
        beat();
    }
    return NULL;
}

static void life(int process, uint64_t seed)
{
    struct random random = {seed + (uint64_t)process};
    int threads = 1 + (int)below(&random, THREAD_LIMIT);
    static struct writer s_writers[THREAD_LIMIT];
    pthread_t ids[THREAD_LIMIT];
    for (int i = 0; i < threads; i++) {
        struct writer *writer = &s_writers[i];
        writer->id = process * THREAD_LIMIT + i;
        writer->random.state = draw(&random);
        writer->log = opened("log", O_WRONLY | O_APPEND);
        writer->log_again = opened("log", O_RDWR | O_APPEND);
        writer->cells = opened("cells", O_RDWR);
        writer->cut = opened("cut", O_RDWR);
        must(pthread_create(&ids[i], NULL, work, writer) == 0);
    }
    for (int i = 0; i < threads; i++)
        must(pthread_join(ids[i], NULL) == 0);
    _exit(0);
}

/* Each record whole, each writer's in their order, none missing. */
static void check_records(const char *name, int file)
{
    static unsigned char s_body[RECORD_LIMIT];
    uint32_t next[WRITERS] = {0};
    FILE *records = fopen(name_of(name), "r");
    must(records != NULL);
    struct record record;
    while (fread(&record, sizeof record, 1, records) == 1) {
        if (record.magic != RECORD_MAGIC || record.writer >= WRITERS || record.length > RECORD_LIMIT)
            fail("%s: no record at %ld", name, ftell(records) - (long)sizeof record);
        if (record.number != next[record.writer]++)
            fail("%s: record %u of writer %u where %u should be", name, record.number, record.writer, next[record.writer] - 1);
        must(fread(s_body, 1, record.length, records) == record.length);
        if (check(s_body, record.length, tag_of_record(&record), 0) != record.length)
            fail("%s: record %u of writer %u is not what was written", name, record.number, record.writer);
    }
    must(!ferror(records) && fclose(records) == 0);
    for (int i = 0; i < WRITERS; i++)
        if (next[i] != s_totals->records[file][i])
            fail("%s: %u records of writer %d, who wrote %u", name, next[i], i, s_totals->records[file][i]);
}

static void check_cells(const char *name)
{
    unsigned char cell[CELL];
    int fd = opened(name, O_RDONLY);
    ssize_t size;
    for (uint64_t i = 0; (size = pread(fd, cell, CELL, (off_t)(i * CELL))) > 0; i++) {
        must(size == CELL);
        check_cell(cell, i, name);
    }
    must(size == 0 && close(fd) == 0);
}

static void check_counter(int kind)
{
    uint64_t value;
    int fd = opened(s_counters[kind], O_RDONLY);
    must(pread(fd, &value, sizeof value, 0) == sizeof value && close(fd) == 0);
    if (value != s_totals->counted[kind])
        fail("%s: %llu, but it was increased %llu times", s_counters[kind], (unsigned long long)value,
             (unsigned long long)s_totals->counted[kind]);
}

static void make(const char *name, off_t size)
{
    int fd = opened(name, O_RDWR | O_CREAT | O_EXCL);
    must(ftruncate(fd, size) == 0 && close(fd) == 0);
}

static void check_all(void)
{
    check_records("log", 0);
    check_records("common", 1);
    check_cells("cells");
    check_cells("cut");
    for (int kind = 0; kind < 3; kind++)
        check_counter(kind);
}

int main(int count_of_arguments, char **arguments)
{
    torture_name = "writers";
    torture_seed = setting("TORTURE_SEED", 1);
    s_steps = setting("TORTURE_WRITES", 100);
    s_may_tear = setting("TORTURE_TORN", 0) != 0;
    must(count_of_arguments == 2);
    s_directory = arguments[1];
    s_totals = mmap(NULL, sizeof *s_totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(s_totals != MAP_FAILED);
    make("log", 0);
    make("cells", CELLS * CELL);
    make("cut", CELLS * CELL);
    for (int kind = 0; kind < 3; kind++)
        make(s_counters[kind], sizeof(uint64_t));
    s_common = opened("common", O_RDWR | O_CREAT);

    struct random random = {torture_seed};
    int processes = 2 + (int)below(&random, PROCESS_LIMIT - 1), status;
    uint64_t seed = draw(&random);
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        must(child >= 0);
        if (child == 0)
            life(i, seed);
    }
    for (int i = 0; i < processes; i++) {
        must(wait(&status) > 0);
        if (status != 0)
            fail("a process ended with status %x", status);
    }
    check_all();
    printf("%d processes, %llu writes, %llu reads beside them, %llu truncations, %llu locks\n", processes,
           (unsigned long long)s_totals->writes, (unsigned long long)s_totals->reads, (unsigned long long)s_totals->cuts,
           (unsigned long long)(s_totals->counted[0] + s_totals->counted[1] + s_totals->counted[2]));
    return 0;
}
