/* What the torture programs share: a seeded generator, self-describing bytes, and one way to fail. */
#ifndef TORTURE_H
#define TORTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t draw(struct random *random);

/* 0 .. limit - 1 */
static inline uint64_t below(struct random *random, uint64_t limit) { return draw(random) % limit; }

static inline bool chance(struct random *random, unsigned percent) { return below(random, 100) < percent; }

/* Small values often, values near the limit now and then: 1 .. limit. */
uint64_t skewed(struct random *random, uint64_t limit);

/* The bytes of a record: told by tag and position alone. Some tags give text that compresses, others noise. */
void fill(void *target, size_t size, uint64_t tag, uint64_t position);

/* Where the bytes first differ from fill's; size if nowhere. */
size_t check(const void *bytes, size_t size, uint64_t tag, uint64_t position);

/* Prints one line with the seed and ends the process with status 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fail with errno's text if the condition does not hold. */
#define must(condition) ((condition) ? (void)0 : fail("%s:%d: %s: %m", __FILE__, __LINE__, #condition))

/* What fail prints, so that a failure can be replayed. */
extern uint64_t torture_seed;
extern const char *torture_name;

/* A sign of life for the watchdog of run.sh: progress of the program as a whole, not of a thread that hammers. */
void beat(void);

uint64_t now_ms(void);

/* Reads a decimal number from the environment. */
uint64_t setting(const char *name, uint64_t otherwise);

/* All of it, or fail. */
void write_all(int fd, const void *bytes, size_t size);
void pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset);

/* As much as there is up to size. */
size_t pread_all(int fd, void *bytes, size_t size, uint64_t offset);

/* Shared, zeroed memory that forked children have too. */
void *shared_memory(size_t size);

#endif
