/*
 * check_nonces RECORD [STORED]: no (key, nonce) comes twice among the seals that a recording build wrote down (the layout:
 * crypto/Recording/NonceRecord.cs); and every nonce of STORED, 12 bytes each, found on the disk afterwards, is among them, so no seal
 * passes by the record. Prints the counts; status 1 for anything that is not so.
 * Takes a part of the records at a time, by a byte of the nonce, so that memory does not limit how long a torture may be.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STORED_SIZE 12 /* what all algorithms take of a nonce */
#define AT_ONCE ((size_t)8 << 20)
#define PROCESSES (1 << 22) /* the kernel's greatest pid_max */

struct record {
    unsigned char key[16], nonce[32];
    unsigned process, length;
    char magic[8];
};

static size_t s_repeats, s_unrecorded, s_keys;
static unsigned char s_is_seen[PROCESSES];

static const void *map(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
        fprintf(stderr, "%s: missing or empty\n", path);
        exit(1);
    }
    *size = (size_t)status.st_size;
    const void *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    return bytes;
}

/* By nonce first, so that stored ones, of which the key is not known, can be looked up. */
static int by_nonce_and_key(const void *a, const void *b)
{
    const struct record *left = *(struct record *const *)a, *right = *(struct record *const *)b;
    int order = memcmp(left->nonce, right->nonce, sizeof left->nonce);
    return order != 0 ? order : memcmp(left->key, right->key, sizeof left->key);
}

static int by_key(const void *a, const void *b)
{
    return memcmp((*(struct record *const *)a)->key, (*(struct record *const *)b)->key, sizeof(*(struct record *)0).key);
}

static void print_repeat(const struct record *one, const struct record *other)
{
    if (s_repeats++ >= 5)
        return;
    fprintf(stderr, "REPEATED: key ");
    for (int i = 0; i < 8; i++)
        fprintf(stderr, "%02x", one->key[i]);
    fprintf(stderr, "... nonce ");
    for (unsigned i = 0; i < one->length; i++)
        fprintf(stderr, "%02x", one->nonce[i]);
    fprintf(stderr, " by processes %u and %u\n", one->process, other->process);
}

static int is_recorded(const struct record *const *sorted, size_t count, const unsigned char *stored)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(sorted[middle]->nonce, stored, STORED_SIZE);
        if (order == 0)
            return 1;
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return 0;
}

static void check_sound(const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *record = &records[i];
        if (memcmp(record->magic, "\nNONCE1\n", sizeof record->magic) != 0 || record->process >= PROCESSES || record->length > 32 ||
            record->length < STORED_SIZE) {
            fprintf(stderr, "record %zu is not one\n", i);
            exit(1);
        }
        s_is_seen[record->process] = 1;
    }
}

int main(int argument_count, char **arguments)
{
    size_t size, stored_size = 0;
    if (argument_count < 2)
        return 2;
    const struct record *records = map(arguments[1], &size);
    const unsigned char *stored = argument_count > 2 ? map(arguments[2], &stored_size) : NULL;
    size_t count = size / sizeof *records, parts = count / AT_ONCE + 1, stored_count = stored_size / STORED_SIZE;
    if (size % sizeof *records != 0 || stored_size % STORED_SIZE != 0) {
        fprintf(stderr, "the last record is cut\n");
        return 1;
    }
    check_sound(records, count);
    const struct record **sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL || parts > 256)
        return 2;
    for (size_t part = 0; part < 2 * parts; part++) { /* once by nonce; once by key, which counts them */
        size_t here = 0;
        for (size_t i = 0; i < count; i++)
            if ((part < parts ? records[i].nonce[0] : records[i].key[0]) % parts == part % parts)
                sorted[here++] = &records[i];
        qsort(sorted, here, sizeof *sorted, part < parts ? by_nonce_and_key : by_key);
        for (size_t i = 0; i < here; i++) {
            if (part >= parts)
                s_keys += i == 0 || by_key(&sorted[i - 1], &sorted[i]) != 0;
            else if (i > 0 && by_nonce_and_key(&sorted[i - 1], &sorted[i]) == 0)
                print_repeat(sorted[i - 1], sorted[i]);
        }
        for (size_t i = 0; part < parts && i < stored_count; i++)
            if (stored[i * STORED_SIZE] % parts == part)
                s_unrecorded += !is_recorded(sorted, here, stored + i * STORED_SIZE);
    }
    size_t processes = 0;
    for (size_t i = 0; i < PROCESSES; i++)
        processes += s_is_seen[i];
    printf("%zu seals, %zu keys, %zu processes, %zu repeats; %zu nonces on the disk, %zu of them not recorded\n", count, s_keys, processes,
           s_repeats, stored_count, s_unrecorded);
    return s_repeats != 0 || s_unrecorded != 0;
}
