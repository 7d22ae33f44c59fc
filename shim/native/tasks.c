#include "tasks.h"

#include "syscalls.h"
#include "text.h"

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* 0: "." and "..". */
static int number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (*name - '0');
    return number;
}

int tasks_any(bool (*is_it)(int tasks, int thread, void *argument), void *argument)
{
    char buffer[1024] __attribute__((aligned(8)));
    long tasks = sys_openat(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), count;
    if (tasks < 0)
        return (int)tasks;
    bool is_any = false;
    while (!is_any && (count = overlay_raw_syscall3(SYS_getdents64, tasks, (long)buffer, sizeof buffer)) > 0)
        for (long at = 0; at < count && !is_any;) {
            const struct entry *entry = (const struct entry *)(buffer + at);
            int thread = number_of(entry->name);
            is_any = thread != 0 && is_it((int)tasks, thread, argument);
            at += entry->length;
        }
    sys_close((int)tasks);
    return is_any;
}

long tasks_read(int tasks, int thread, const char *name, char *target, size_t size)
{
    char path[40];
    size_t length = text_decimal(path, (unsigned long)thread);
    path[length++] = '/';
    text_copy(path + length, name, text_length(name) + 1);
    long fd = sys_openat(tasks, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    long count = sys_pread((int)fd, target, size - 1, 0);
    sys_close((int)fd);
    target[count < 0 ? 0 : count] = 0;
    return count;
}
