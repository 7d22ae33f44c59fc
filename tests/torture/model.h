/*
 * A file and what it must hold. The model lies in memory that outlives a killed process: a step is written down before its
 * system call and carried over into the image afterwards, so that whoever comes next knows what is certain and what was in flight.
 */
#ifndef TORTURE_MODEL_H
#define TORTURE_MODEL_H

#include "torture.h"

#define MODEL_LIMIT (1536 << 10)

enum step_kind { STEP_WRITE, STEP_APPEND, STEP_VECTOR, STEP_TRUNCATE, STEP_PUNCH, STEP_SYNC, STEP_DATASYNC, STEP_REOPEN, STEP_READ };

enum step_state {
    STEP_NONE,      /* the file is the image */
    STEP_IN_FLIGHT, /* each block is that of the image, or what the step makes of it */
    STEP_DONE,      /* the call has returned; the image may be half carried over */
};

struct step {
    int state, kind;
    uint64_t offset, length, tag;
};

struct model {
    uint64_t size, steps;
    struct step step;
    unsigned char image[MODEL_LIMIT]; /* zeros beyond size */
};

/* The descriptors through which a process works on the file. */
struct model_file {
    const char *path;
    int fd, append_fd; /* append_fd is O_WRONLY | O_APPEND */
};

void model_open(struct model_file *file, const char *path);
void model_close(struct model_file *file);

/* One random step of a file that stays below limit bytes. */
struct step model_draw(const struct model *model, struct random *random, uint64_t limit);

void model_run(struct model *model, struct model_file *file, struct step step);

/*
 * The file as this process sees it is the image, but for a step in flight, in units of block_size; what is found becomes the
 * image. Fails otherwise. A file that does not exist counts as empty.
 */
void model_verify(struct model *model, const char *path, uint64_t block_size);

#endif
