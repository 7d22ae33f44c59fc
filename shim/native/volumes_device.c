/*
 * Which devices may hold files of a volume: that of its root, and those of file systems that are mounted below it, which are looked for in
 * /proc/self/mountinfo when a device is met for the first time.
 */
#include "own_stack.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

#define DEVICE_LIMIT 32
#define READ_SIZE 4096

/* Threads may overwrite each other's: that only costs a look. 0 is no device of a regular file. */
static uint64_t s_inside[DEVICE_LIMIT], s_outside[DEVICE_LIMIT];
static unsigned s_next_inside, s_next_outside;

static bool is_listed(const uint64_t list[DEVICE_LIMIT], uint64_t device)
{
    for (int i = 0; i < DEVICE_LIMIT; i++)
        if (__atomic_load_n(&list[i], __ATOMIC_RELAXED) == device)
            return true;
    return false;
}

static void add(uint64_t list[DEVICE_LIMIT], unsigned *next, uint64_t device)
{
    __atomic_store_n(&list[__atomic_fetch_add(next, 1, __ATOMIC_RELAXED) % DEVICE_LIMIT], device, __ATOMIC_RELAXED);
}

/* "\040" and the like, in place. */
static void decode(char *path)
{
    char *to = path;
    for (const char *from = path; *from != 0; from++) {
        char c = *from;
        if (c == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != 0 && from[3] != 0) {
            c = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 3;
        }
        *to++ = c;
    }
    *to = 0;
}

/* ID PARENT MAJOR:MINOR ROOT MOUNT-POINT ...; the device is asked there, since some file systems show another one to stat. */
static bool is_mounted_inside(char *line, uint64_t device)
{
    char *field = line;
    for (int i = 0; i < 4; i++) {
        while (*field != 0 && *field != ' ')
            field++;
        if (*field == 0)
            return false;
        field++;
    }
    char *end = field;
    while (*end != 0 && *end != ' ')
        end++;
    *end = 0;
    decode(field);
    struct stat status;
    return volumes_containing(field) != NULL && sys_fstatat(AT_FDCWD, field, &status, 0) == 0 && status.st_dev == device;
}

static long look_for(const long *arguments)
{
    uint64_t device = (uint64_t)arguments[0];
    char text[READ_SIZE + PATH_SIZE + 1];
    size_t length = 0;
    long fd = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0), size;
    if (fd < 0) /* the first thread has ended before others */
        fd = sys_openat(AT_FDCWD, "/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
    bool is_found = false;
    while (fd >= 0 && !is_found && (size = overlay_raw_syscall6(SYS_read, fd, (long)(text + length), READ_SIZE, 0, 0, 0)) > 0) {
        length += (size_t)size;
        char *line = text;
        for (char *c = text; c < text + length && !is_found; c++) {
            if (*c != '\n')
                continue;
            *c = 0;
            is_found = is_mounted_inside(line, device);
            line = c + 1;
        }
        size_t done = (size_t)(line - text);
        text_copy(text, line, length - done);
        length -= done;
        if (length > PATH_SIZE)
            length = 0; /* no line is that long */
    }
    if (fd >= 0)
        sys_close((int)fd);
    return is_found;
}

bool volumes_on_device(uint64_t device)
{
    for (int i = 0; i < overlay_volume_count; i++)
        if (overlay_volumes[i].device == device)
            return true;
    if (overlay_volume_count == 0 || is_listed(s_outside, device))
        return false;
    if (is_listed(s_inside, device))
        return true;
    bool is_inside = ON_OWN_STACK(look_for, (long)device) != 0;
    if (is_inside)
        add(s_inside, &s_next_inside, device);
    else
        add(s_outside, &s_next_outside, device);
    return is_inside;
}

void volumes_forget_devices(void)
{
    for (int i = 0; i < DEVICE_LIMIT; i++)
        s_outside[i] = 0;
}
