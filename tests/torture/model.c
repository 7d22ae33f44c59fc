#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *const s_names[] = {"write", "append", "writev", "truncate", "punch", "fsync", "fdatasync", "reopen", "read"};

static uint64_t lesser(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t greater(uint64_t a, uint64_t b) { return a > b ? a : b; }

void model_open(struct model_file *file, const char *path)
{
    if (path != file->path)
        must((file->path = strdup(path)) != NULL);
    must((file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644)) >= 0);
    must((file->append_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0);
}

void model_close(struct model_file *file)
{
    must(close(file->fd) == 0);
    must(close(file->append_fd) == 0);
}

static bool is_write(int kind) { return kind == STEP_WRITE || kind == STEP_APPEND || kind == STEP_VECTOR; }

static uint64_t size_after(const struct model *model, const struct step *step)
{
    if (is_write(step->kind))
        return greater(model->size, step->offset + step->length);
    return step->kind == STEP_TRUNCATE ? step->length : model->size;
}

/* What the step makes of an image of the given size. */
static void apply(unsigned char *image, uint64_t size, const struct step *step)
{
    if (is_write(step->kind))
        fill(image + step->offset, step->length, step->tag, step->offset);
    else if (step->kind == STEP_TRUNCATE && step->length < size)
        memset(image + step->length, 0, size - step->length);
    else if (step->kind == STEP_PUNCH && step->offset < size)
        memset(image + step->offset, 0, lesser(step->length, size - step->offset));
}

static void carry_over(struct model *model)
{
    uint64_t size = size_after(model, &model->step);
    apply(model->image, greater(size, model->size), &model->step);
    model->size = size;
    model->steps++;
    __atomic_store_n(&model->step.state, STEP_NONE, __ATOMIC_SEQ_CST);
}

struct step model_draw(const struct model *model, struct random *random, uint64_t limit)
{
    static const uint8_t kinds[] = {STEP_WRITE, STEP_WRITE, STEP_WRITE, STEP_WRITE, STEP_APPEND, STEP_APPEND, STEP_VECTOR,
                                    STEP_TRUNCATE, STEP_PUNCH, STEP_SYNC, STEP_DATASYNC, STEP_REOPEN, STEP_REOPEN, STEP_READ};
    struct step step = {.kind = kinds[below(random, sizeof kinds)], .tag = draw(random)};
    switch (step.kind) {
    case STEP_WRITE: case STEP_VECTOR: case STEP_PUNCH: case STEP_READ:
        step.offset = chance(random, 30) ? lesser(model->size, limit - 1) : below(random, limit);
        step.length = skewed(random, limit - step.offset);
        break;
    case STEP_APPEND:
        step.offset = model->size;
        step.length = model->size < limit ? skewed(random, lesser(limit - model->size, 100000)) : 0;
        if (step.length == 0)
            step = (struct step){.kind = STEP_TRUNCATE};
        break;
    case STEP_TRUNCATE:
        step.length = chance(random, 30) ? 0 : chance(random, 70) ? below(random, model->size + 1) : below(random, limit);
        break;
    }
    return step;
}

static void compare(const struct model *model, const struct model_file *file, const struct step *step)
{
    unsigned char *bytes = malloc(step->length);
    uint64_t expected = step->offset < model->size ? lesser(step->length, model->size - step->offset) : 0;
    uint64_t count = pread_all(file->fd, bytes, step->length, step->offset);
    if (count != expected)
        fail("%s: read %llu bytes at %llu, not %llu", file->path, (unsigned long long)count, (unsigned long long)step->offset,
             (unsigned long long)expected);
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i] != model->image[step->offset + i])
            fail("%s: wrong byte at %llu", file->path, (unsigned long long)(step->offset + i));
    free(bytes);
}

static void call(struct model *model, struct model_file *file, const struct step *step)
{
    unsigned char *bytes = NULL;
    if (is_write(step->kind)) {
        must((bytes = malloc(step->length)) != NULL);
        fill(bytes, step->length, step->tag, step->offset);
    }
    switch (step->kind) {
    case STEP_WRITE:
        pwrite_all(file->fd, bytes, step->length, step->offset);
        break;
    case STEP_APPEND:
        write_all(file->append_fd, bytes, step->length);
        break;
    case STEP_VECTOR: {
        size_t half = step->length / 2;
        struct iovec parts[2] = {{bytes, half}, {bytes + half, step->length - half}};
        ssize_t count = pwritev(file->fd, parts, 2, (off_t)step->offset);
        if (count != (ssize_t)step->length)
            fail("pwritev of %llu bytes: %zd: %m", (unsigned long long)step->length, count);
        break;
    }
    case STEP_TRUNCATE:
        must(ftruncate(file->fd, (off_t)step->length) == 0);
        break;
    case STEP_PUNCH:
        must(fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)step->offset, (off_t)step->length) == 0);
        break;
    case STEP_SYNC:
        must(fsync(file->fd) == 0);
        break;
    case STEP_DATASYNC:
        must(fdatasync(file->append_fd) == 0);
        break;
    case STEP_REOPEN:
        model_close(file);
        model_open(file, file->path);
        break;
    case STEP_READ:
        compare(model, file, step);
        break;
    }
    free(bytes);
}

void model_run(struct model *model, struct model_file *file, struct step step)
{
    step.state = STEP_NONE;
    model->step = step;
    __atomic_store_n(&model->step.state, STEP_IN_FLIGHT, __ATOMIC_SEQ_CST);
    call(model, file, &step);
    __atomic_store_n(&model->step.state, STEP_DONE, __ATOMIC_SEQ_CST);
    carry_over(model);
}

static bool is_size_allowed(const struct model *model, uint64_t size)
{
    if (model->step.state == STEP_NONE)
        return size == model->size;
    uint64_t after = size_after(model, &model->step);
    // A long write grows the file group by group; a truncation is one step.
    if (is_write(model->step.kind))
        return size >= model->size && size <= after;
    return size == model->size || size == after;
}

static void compare_blocks(const struct model *model, const char *path, const unsigned char *found, uint64_t size, uint64_t block_size)
{
    unsigned char *after = malloc(MODEL_LIMIT);
    memcpy(after, model->image, MODEL_LIMIT);
    if (model->step.state == STEP_IN_FLIGHT)
        apply(after, greater(size_after(model, &model->step), model->size), &model->step);
    for (uint64_t start = 0; start < size; start += block_size) {
        uint64_t count = lesser(block_size, size - start);
        if (memcmp(found + start, model->image + start, count) == 0 || memcmp(found + start, after + start, count) == 0)
            continue;
        uint64_t at = start;
        while (found[at] == model->image[at])
            at++;
        fail("%s: block %llu of %llu is neither old nor new from byte %llu (size %llu of %llu, step %llu: %s %llu+%llu, state %d)", path,
             (unsigned long long)(start / block_size), (unsigned long long)block_size, (unsigned long long)at,
             (unsigned long long)size, (unsigned long long)model->size, (unsigned long long)model->steps,
             s_names[model->step.kind], (unsigned long long)model->step.offset, (unsigned long long)model->step.length,
             model->step.state);
    }
    free(after);
}

void model_verify(struct model *model, const char *path, uint64_t block_size)
{
    if (model->step.state == STEP_DONE)
        carry_over(model);
    unsigned char *found = calloc(1, MODEL_LIMIT + 1);
    uint64_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        struct stat status;
        must(fstat(fd, &status) == 0);
        size = pread_all(fd, found, MODEL_LIMIT + 1, 0);
        if (size != (uint64_t)status.st_size)
            fail("%s: fstat tells %llu bytes, reading gives %llu", path, (unsigned long long)status.st_size, (unsigned long long)size);
        close(fd);
    } else if (errno != ENOENT) {
        fail("%s cannot be opened: %m", path);
    }
    if (!is_size_allowed(model, size))
        fail("%s: size %llu, not %llu (step %llu: %s %llu+%llu, state %d)", path, (unsigned long long)size,
             (unsigned long long)model->size, (unsigned long long)model->steps, s_names[model->step.kind],
             (unsigned long long)model->step.offset, (unsigned long long)model->step.length, model->step.state);
    compare_blocks(model, path, found, size, block_size);
    memcpy(model->image, found, MODEL_LIMIT);
    model->size = size;
    model->step.state = STEP_NONE;
    free(found);
}
