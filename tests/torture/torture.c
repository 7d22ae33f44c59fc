#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t torture_seed;
const char *torture_name = "torture";

uint64_t draw(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

uint64_t skewed(struct random *random, uint64_t limit)
{
    uint64_t most = limit;
    for (int i = (int)below(random, 4); i > 0 && most > 1; i--)
        most = 1 + below(random, most);
    return 1 + below(random, most);
}

static uint64_t word_of(uint64_t tag, uint64_t index)
{
    if (tag % 3 == 0)
        index &= 3; /* a short text again and again: compresses well */
    struct random random = {tag * 0xD6E8FEB86659FD93 + index};
    return draw(&random);
}

void fill(void *target, size_t size, uint64_t tag, uint64_t position)
{
    unsigned char *bytes = target;
    size_t done = 0;
    while (done < size) {
        uint64_t word = word_of(tag, (position + done) / 8);
        size_t skip = (position + done) % 8, count = 8 - skip;
        if (count > size - done)
            count = size - done;
        memcpy(bytes + done, (char *)&word + skip, count);
        done += count;
    }
}

size_t check(const void *bytes, size_t size, uint64_t tag, uint64_t position)
{
    unsigned char expected[4096];
    for (size_t done = 0; done < size;) {
        size_t count = size - done < sizeof expected ? size - done : sizeof expected;
        fill(expected, count, tag, position + done);
        if (memcmp(expected, (const char *)bytes + done, count) != 0)
            for (size_t i = 0; i < count; i++)
                if (expected[i] != ((const unsigned char *)bytes)[done + i])
                    return done + i;
        done += count;
    }
    return size;
}

void fail(const char *format, ...)
{
    char line[1024];
    int error = errno, length = snprintf(line, sizeof line, "WRONG %s (seed %llu, pid %d): ", torture_name,
                                         (unsigned long long)torture_seed, getpid());
    errno = error;
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(2, line, (size_t)length) < 0)
        _exit(3);
    if (getenv("TORTURE_STOP") != NULL)
        pause(); /* to be looked at by gdb */
    _exit(1);
}

void beat(void)
{
    static uint64_t *s_word;
    if (s_word == NULL) {
        const char *path = getenv("TORTURE_BEAT");
        int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
        void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        s_word = page == MAP_FAILED ? malloc(sizeof *s_word) : page;
        if (fd >= 0)
            close(fd);
    }
    __atomic_fetch_add(s_word, 1, __ATOMIC_RELAXED);
}

uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL || *text == 0 ? otherwise : strtoull(text, NULL, 10);
}

void write_all(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, (const char *)bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            fail("write of %zu bytes: %m", size);
        done += (size_t)count;
    }
}

void pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            fail("pwrite of %zu bytes at %llu: %m", size, (unsigned long long)offset);
        done += (size_t)count;
    }
}

size_t pread_all(int fd, void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(fd, (char *)bytes + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            fail("pread of %zu bytes at %llu: %m", size - done, (unsigned long long)(offset + done));
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return done;
}

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED);
    return memory;
}
