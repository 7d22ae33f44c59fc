/*
 * scan: does any 16-byte run of known plaintext occur in stored files?
 *
 *   scan [-m MARKER] [-p PLAIN]... [-x EXCLUDED]... [-n NAMES]... TARGET...
 *
 *   -m  a string that must not occur, wherever it starts
 *   -p  files (directories are walked) whose content must not occur
 *   -x  files whose content may occur: what a new volume holds before anything was written
 *   -n  directories whose file names may occur: names are not secret
 *
 * Every run of 16 bytes holds a whole 8-byte word that is aligned in the plaintext. Those words go into a hash table
 * and each byte offset of the targets is looked up in it; a hit is widened to both sides in the plaintext. Runs made of
 * few different bytes (padding, zeros) say nothing and are left out.
 *
 * Exit status: 0 nothing found, 1 found (one line for each file, up to 20), 2 trouble.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN = 16, WORD = 8, LEAST_DISTINCT = 6, MOST_REPORTS = 20, LONGEST_CHAIN = 20000 };
#define FILTER_BITS 29
#define BUCKET_BITS 22

typedef struct {
    const uint8_t *data;
    size_t size;
    char *name;
} Plain;
typedef struct {
    uint32_t plain;
    uint32_t word;
    uint32_t next;
} Occurrence; /* word: its offset */

static Plain *s_plains;
static uint32_t s_plainCount;
static Occurrence *s_occurrences;
static uint32_t s_occurrenceCount = 1, s_occurrenceRoom;
static uint32_t *s_buckets;
static uint8_t *s_filter;
static struct set {
    uint64_t *values;
    size_t count, room;
} s_excluded, s_names;
static int s_reports;
static uint64_t s_scanned;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "scan: %s: %s: %s\n", name, what, strerror(errno));
    exit(2);
}

static void *grown(void *memory, size_t size)
{
    void *result = realloc(memory, size);
    if (result == NULL)
        die("out of memory", "");
    return result;
}

static uint64_t load(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, WORD);
    return v;
}
static uint64_t mix(uint64_t v)
{
    v ^= v >> 32;
    v *= 0x9E3779B97F4A7C15u;
    v ^= v >> 29;
    v *= 0xBF58476D1CE4E5B9u;
    return v ^ v >> 32;
}
static uint64_t run_hash(const uint8_t *p)
{
    return mix(load(p) + 0x51ED27u) ^ mix(load(p + 8) * 3 + 1);
}

static int distinct(const uint8_t *p, int length)
{
    uint64_t seen[4] = {0};
    int count = 0;
    for (int i = 0; i < length; i++) {
        uint64_t bit = 1ull << (p[i] & 63);
        if (!(seen[p[i] >> 6] & bit)) {
            seen[p[i] >> 6] |= bit;
            count++;
        }
    }
    return count;
}

static void add_word(uint32_t plain, uint32_t offset)
{
    const uint8_t *p = s_plains[plain].data + offset;
    if (distinct(p, WORD) < 3)
        return;
    uint64_t hash = mix(load(p));
    s_filter[hash >> (64 - FILTER_BITS) >> 3] |= (uint8_t)(1 << (hash >> (64 - FILTER_BITS) & 7));
    if (s_occurrenceCount == s_occurrenceRoom)
        s_occurrences = grown(s_occurrences, (s_occurrenceRoom *= 2) * sizeof *s_occurrences);
    uint32_t *bucket = &s_buckets[hash & ((1u << BUCKET_BITS) - 1)];
    s_occurrences[s_occurrenceCount] = (Occurrence){plain, offset, *bucket};
    *bucket = s_occurrenceCount++;
}

static void add_plain(const uint8_t *data, size_t size, const char *name, unsigned step)
{
    s_plains = grown(s_plains, (s_plainCount + 1) * sizeof *s_plains);
    s_plains[s_plainCount] = (Plain){data, size, strdup(name)};
    for (size_t offset = 0; offset + WORD <= size; offset += step)
        add_word(s_plainCount, (uint32_t)offset);
    s_plainCount++;
}

static void add(struct set *set, uint64_t value)
{
    if (set->count == set->room) {
        set->room = set->room ? set->room * 2 : 4096;
        set->values = grown(set->values, set->room * sizeof *set->values);
    }
    set->values[set->count++] = value;
}

static void exclude(const uint8_t *data, size_t size)
{
    for (size_t offset = 0; offset + RUN <= size; offset++)
        add(&s_excluded, run_hash(data + offset));
}

/* A run that holds a piece of a name is part of a name, with what happens to lie beside it in both places. */
static void exclude_name(const char *name)
{
    uint8_t padded[8192] = {0};
    size_t size = strlen(name);
    if (size + WORD > sizeof padded)
        return;
    memcpy(padded, name, size);
    for (size_t offset = 0; offset < size; offset++)
        add(&s_names, load(padded + offset));
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort(struct set *set)
{
    if (set->count > 0)
        qsort(set->values, set->count, sizeof *set->values, by_value);
}

static int contains(const struct set *set, uint64_t value)
{
    return set->count > 0 && bsearch(&value, set->values, set->count, sizeof value, by_value) != NULL;
}

static int is_excluded(const uint8_t *run)
{
    for (int offset = 0; offset + WORD <= RUN; offset++)
        if (contains(&s_names, load(run + offset)))
            return 1;
    return contains(&s_excluded, run_hash(run));
}

/* Maps a regular file, NULL if it is empty; the mapping is kept, as the plaintext is needed to the end. */
static const uint8_t *map(const char *path, size_t *size, int *descriptor)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NOATIME);
    if (fd < 0 || fstat(fd, &info) != 0)
        die("cannot open", path);
    const uint8_t *data = NULL;
    *size = (size_t)info.st_size;
    if (info.st_size > 0) {
        data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            die("cannot map", path);
    }
    if (descriptor != NULL)
        *descriptor = fd;
    else
        close(fd);
    return data;
}

static void report(const char *path, uint64_t offset, const Plain *plain, const uint8_t *p)
{
    printf("%s: at %llu: plaintext of %s: \"", path, (unsigned long long)offset, plain->name);
    for (int i = 0; i < RUN; i++)
        putchar(p[i] >= 32 && p[i] < 127 ? p[i] : '.');
    printf("\"\n");
    s_reports++;
}

/* Is one of the 16-byte windows around this word in the plaintext too, and does it tell anything? */
static const uint8_t *find_run(const uint8_t *data, size_t size, size_t at, const Plain **plain)
{
    uint64_t hash = mix(load(data + at));
    int length = 0;
    for (uint32_t i = s_buckets[hash & ((1u << BUCKET_BITS) - 1)]; i != 0 && length < LONGEST_CHAIN;
         i = s_occurrences[i].next, length++) {
        const Plain *candidate = &s_plains[s_occurrences[i].plain];
        const uint8_t *p = candidate->data + s_occurrences[i].word;
        if (load(p) != load(data + at))
            continue;
        size_t before = 0, after = WORD, offset = s_occurrences[i].word;
        while (before < RUN - WORD && before < at && before < offset && p[-(long)before - 1] == data[at - before - 1])
            before++;
        while (after < RUN && at + after < size && offset + after < candidate->size && p[after] == data[at + after])
            after++;
        for (size_t start = at - before; start + RUN <= at + after; start++)
            if (distinct(data + start, RUN) >= LEAST_DISTINCT && !is_excluded(data + start)) {
                *plain = candidate;
                return data + start;
            }
    }
    return NULL;
}

static void scan_extent(const char *path, const uint8_t *data, size_t size, size_t from, size_t to)
{
    s_scanned += to - from;
    for (size_t at = from; at + WORD <= to; at++) {
        uint64_t hash = mix(load(data + at)) >> (64 - FILTER_BITS);
        if (!(s_filter[hash >> 3] & 1 << (hash & 7)))
            continue;
        const Plain *plain;
        const uint8_t *run = find_run(data, size, at, &plain);
        if (run == NULL)
            continue;
        report(path, (uint64_t)(run - data), plain, run);
        return;
    }
}

static void scan_file(const char *path)
{
    size_t size;
    int fd;
    const uint8_t *data = map(path, &size, &fd);
    int before = s_reports;
    /* Holes hold nothing: only what the file system stores is looked at. */
    for (off_t from = 0; s_reports == before && (from = lseek(fd, from, SEEK_DATA)) >= 0;) {
        off_t to = lseek(fd, from, SEEK_HOLE);
        scan_extent(path, data, size, (size_t)from, (size_t)to);
        from = to;
    }
    close(fd);
    if (data != NULL)
        munmap((void *)data, size);
}

static enum { PLAIN, EXCLUDED, NAMES, TARGET } s_role;
static size_t s_rootLength;

static int visit(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)walk;
    if (s_role == NAMES) {
        exclude_name(path + s_rootLength);
        return 0;
    }
    if (type != FTW_F || !S_ISREG(info->st_mode) || s_reports >= MOST_REPORTS)
        return 0;
    if (s_role == TARGET) {
        scan_file(path);
        return 0;
    }
    size_t size;
    const uint8_t *data = map(path, &size, NULL);
    if (data == NULL)
        return 0;
    if (s_role == PLAIN)
        add_plain(data, size, path, WORD);
    else
        exclude(data, size);
    return 0;
}

static void walk(const char *root, int role)
{
    s_role = role;
    s_rootLength = strlen(root);
    struct stat info;
    if (lstat(root, &info) != 0)
        die("cannot stat", root);
    if (nftw(root, visit, 64, FTW_PHYS) != 0)
        die("cannot walk", root);
}

int main(int argc, char **argv)
{
    s_filter = calloc(1u << (FILTER_BITS - 3), 1);
    s_buckets = calloc(1u << BUCKET_BITS, sizeof *s_buckets);
    s_occurrences = grown(NULL, (s_occurrenceRoom = 1 << 20) * sizeof *s_occurrences);
    if (s_filter == NULL || s_buckets == NULL)
        die("out of memory", "");
    for (int option; (option = getopt(argc, argv, "m:p:x:n:")) != -1;)
        switch (option) {
        case 'm':
            add_plain((const uint8_t *)optarg, strlen(optarg), "the marker", 1);
            break;
        case 'p':
            walk(optarg, PLAIN);
            break;
        case 'x':
            walk(optarg, EXCLUDED);
            break;
        case 'n':
            walk(optarg, NAMES);
            break;
        default:
            return 2;
        }
    for (int i = optind; i < argc; i++)
        exclude_name(argv[i]);
    sort(&s_excluded);
    sort(&s_names);
    for (int i = optind; i < argc; i++)
        walk(argv[i], TARGET);
    if (s_scanned == 0) {
        fprintf(stderr, "scan: nothing to scan\n");
        return 2;
    }
    return s_reports > 0;
}
