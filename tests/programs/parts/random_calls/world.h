/* What all steps share: the random numbers, the descriptors in play, and the log. */
#ifndef WORLD_H
#define WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SLOTS 8
#define LARGEST (64 << 10)

struct world {
    uint64_t random;
    const char *root; /* absolute path of the directory, which is the working directory, too */
    const char *self; /* for those that are executed */
    int fds[SLOTS];
    int has_changed_user; /* see shown_mode */
    int depth;
    int step;
};

extern struct world world;
extern unsigned char buffer[LARGEST + 4096] __attribute__((aligned(4096)));

uint64_t next_random(void);
unsigned below(unsigned limit);
int one_in(unsigned n);
int64_t odd_offset(void);
size_t odd_size(void);
unsigned odd_mode(void);

/* Who is not a file's owner cannot put back its times and set-id bits after a sync or the last close (README, limits): then they are not looked at. */
unsigned shown_mode(unsigned mode);
void fill(unsigned char *data, size_t size);
uint64_t digest(const void *data, size_t size);

int any_fd(void);
void keep_fd(int fd);
const char *any_name(void);
const char *any_directory(void);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The answer of a call and, if it failed, why. Ends the line. */
void answer(long result);
void flush_log(void);

/* Ends the line with what a status says, but for what a volume may say otherwise (README, limits). */
void say_status(int directory, const char *path, int flags);
void say_content(const char *path);

void step_of_data(void);
void step_of_names(void);
void step_of_rights(void);
void step_of_locks(void);
void step_of_memory(void);
void step_of_processes(void);

#endif
