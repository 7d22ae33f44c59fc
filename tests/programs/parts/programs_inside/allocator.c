/* A program with an allocator of its own, as many have: it takes back nothing that it did not give. Copies a file. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK 0x6f776e6d656d6f72UL
#define POOL_SIZE (64UL << 20)

struct head {
    size_t size;
    unsigned long mark;
};

static _Alignas(4096) char pool[POOL_SIZE];
static size_t used;

static void *take(size_t alignment, size_t size)
{
    if (alignment < 16)
        alignment = 16;
    size_t room = size + alignment + sizeof(struct head);
    size_t at = __atomic_fetch_add(&used, (room + 15) & ~15UL, __ATOMIC_RELAXED);
    if (at + room > POOL_SIZE)
        return NULL;
    size_t place = ((size_t)(pool + at) + sizeof(struct head) + alignment - 1) & -alignment;
    ((struct head *)place)[-1] = (struct head){size, MARK};
    return (void *)place;
}

static struct head *head_of(void *memory)
{
    struct head *head = (struct head *)memory - 1;
    if ((char *)memory < pool || (char *)memory >= pool + POOL_SIZE || head->mark != MARK) {
        static const char text[] = "foreign memory was given back\n";
        (void)!write(2, text, sizeof text - 1);
        _exit(66);
    }
    return head;
}

void *malloc(size_t size) { return take(16, size); }
void *calloc(size_t count, size_t size) { return take(16, count * size); } /* the pool is never used twice */
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size)
{
    *result = take(alignment, size);
    return *result == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    if (memory != NULL)
        head_of(memory)->mark = 0;
}

void *realloc(void *memory, size_t size)
{
    void *fresh = take(16, size);
    if (memory != NULL && fresh != NULL) {
        size_t old = head_of(memory)->size;
        memcpy(fresh, memory, old < size ? old : size);
        free(memory);
    }
    return fresh;
}

int main(int count, char **arguments)
{
    FILE *from = count == 3 ? fopen(arguments[1], "r") : NULL, *to = from != NULL ? fopen(arguments[2], "w") : NULL;
    if (to == NULL)
        return 1;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, from) > 0)
        fputs(line, to);
    free(line);
    return fclose(from) != 0 || fclose(to) != 0 || used == 0;
}
