/* Random numbers, names and descriptors; and the log. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world world;
unsigned char buffer[LARGEST + 4096] __attribute__((aligned(4096)));

static char s_log[1 << 16];
static size_t s_used;

uint64_t next_random(void)
{
    uint64_t z = world.random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

unsigned below(unsigned limit) { return (unsigned)(next_random() >> 32) % limit; }
int one_in(unsigned n) { return below(n) == 0; }

int64_t odd_offset(void)
{
    static const int64_t corners[] = {0, 1, 4095, 4096, 4097, 16383, 16384, 16385, 65536};
    switch (below(8)) {
        case 0: return 0;
        case 1: return corners[below(sizeof corners / sizeof *corners)];
        case 2: return (int64_t)below(40) * 4096;
        case 3: return one_in(20) ? 3000000 + below(1000) : below(300000);
        default: return below(50000);
    }
}

size_t odd_size(void)
{
    switch (below(6)) {
        case 0: return below(10);
        case 1: return (1 + below(8)) * 4096;
        case 2: return 16384;
        case 3: return below(LARGEST);
        default: return below(6000);
    }
}

/* No sticky bit: on a regular file it is not the program's. */
unsigned odd_mode(void)
{
    static const unsigned modes[] = {0600, 0644, 0666, 0660, 0400, 0200, 0000, 0444, 0222, 04755, 02755, 06777, 02666, 0755, 0100, 0640, 0040, 0004, 0060};
    return modes[below(sizeof modes / sizeof *modes)];
}

void fill(unsigned char *data, size_t size)
{
    uint64_t value = next_random();
    int is_text = (value & 3) != 0;
    for (size_t i = 0; i < size; i++) {
        value = value * 6364136223846793005 + 1442695040888963407;
        data[i] = is_text ? (unsigned char)("lorem ipsum dolor"[value >> 60]) : (unsigned char)(value >> 56);
    }
}

uint64_t digest(const void *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3;
    return hash;
}

/* Now and then one that is not open. */
int any_fd(void)
{
    for (int tries = 0; tries < 6; tries++) {
        int fd = world.fds[below(SLOTS)];
        if (fd >= 0)
            return fd;
    }
    return one_in(10) ? 9999 : world.fds[below(SLOTS)];
}

void keep_fd(int fd)
{
    if (fd < 0)
        return;
    int slot = (int)below(SLOTS);
    for (int i = 0; i < SLOTS; i++)
        if (world.fds[i] < 0)
            slot = i;
    if (world.fds[slot] >= 0)
        close(world.fds[slot]);
    world.fds[slot] = fd;
}

const char *any_name(void)
{
    static const char *const usual[] = {"a", "b", "c", "d/a", "d/b", "e/a"};
    static const char *const rare[] = {"s", "d/s", "d", "e", "d/../a", "./b", "a/", "none/a", "", "d/", "e/.", "t/a", "d/c/x"};
    static char path[4200];
    const char *name = one_in(8) ? rare[below(sizeof rare / sizeof *rare)] : usual[below(sizeof usual / sizeof *usual)];
    static int turn;
    static char paths[2][4200];
    if (!one_in(12) || *name == 0)
        return name;
    (void)path;
    turn ^= 1; /* two at once: rename, link */
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", world.root, name);
    return paths[turn];
}

const char *any_directory(void)
{
    static const char *const names[] = {".", "d", "e", "t"};
    return names[below(sizeof names / sizeof *names)];
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (s_used > sizeof s_log - 8192)
        flush_log();
    char text[8192];
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    /* The directory may have another name next time. */
    char *from = text, *found;
    while ((found = strstr(from, world.root)) != NULL) {
        memcpy(s_log + s_used, from, (size_t)(found - from));
        s_used += (size_t)(found - from);
        s_log[s_used++] = '~';
        from = found + strlen(world.root);
    }
    size_t rest = strlen(from);
    memcpy(s_log + s_used, from, rest);
    s_used += rest;
}

void answer(long result)
{
    if (result < 0)
        say(" = %s\n", strerrorname_np(errno));
    else
        say(" = %ld\n", result);
}

void flush_log(void)
{
    for (size_t done = 0; done < s_used;) {
        ssize_t count = write(1, s_log + done, s_used - done);
        if (count <= 0)
            _exit(9);
        done += (size_t)count;
    }
    s_used = 0;
}
