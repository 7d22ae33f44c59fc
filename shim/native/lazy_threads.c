/*
 * May SIGSEGV be ours? Where it is blocked the kernel ends the process at a fault, and another thread's mask cannot be changed. From the
 * first such mapping on the filter keeps it out of all masks (own_signals.h); what was blocked before has to be asked for.
 */
#include <signal.h>

#include "lazy.h"
#include "own_stack.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static uint64_t hexadecimal(const char *text)
{
    uint64_t value = 0;
    for (;; text++) {
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : -1;
        if (digit < 0)
            return value;
        value = value << 4 | (uint64_t)digit;
    }
}

static bool blocks_faults(const char *status)
{
    static const char field[] = "\nSigBlk:\t";
    for (; *status != 0; status++)
        if (text_starts(status, field))
            return (hexadecimal(status + sizeof field - 1) & SIGNAL_BIT(SIGSEGV)) != 0;
    return true; /* not to be told */
}

static bool is_blocked_in(int tasks, const char *name)
{
    char path[40], status[2048];
    size_t length = text_length(name);
    int id = 0;
    if (length + sizeof "/status" > sizeof path)
        return true;
    text_copy(path, name, length);
    text_copy(path + length, "/status", sizeof "/status");
    for (size_t i = 0; i < length; i++)
        id = id * 10 + (name[i] - '0');
    if (own_stack_is_in_use(id))
        return false; /* the engine's mask, for the time being; what it gives back is without SIGSEGV (signals_give_back) */
    long fd = sys_openat(tasks, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false; /* it has ended */
    long count = sys_pread((int)fd, status, sizeof status - 1, 0);
    sys_close((int)fd);
    status[count < 0 ? 0 : count] = 0;
    return count > 0 && blocks_faults(status);
}

bool lazy_is_blocked_elsewhere(void)
{
    char buffer[2048] __attribute__((aligned(8)));
    long tasks = sys_openat(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), count;
    bool is_blocked = tasks < 0;
    while (!is_blocked && (count = overlay_raw_syscall3(SYS_getdents64, tasks, (long)buffer, sizeof buffer)) > 0)
        for (long at = 0; at < count && !is_blocked;) {
            const struct entry *entry = (const struct entry *)(buffer + at);
            is_blocked = entry->name[0] != '.' && is_blocked_in((int)tasks, entry->name);
            at += entry->length;
        }
    if (tasks >= 0)
        sys_close((int)tasks);
    return is_blocked;
}
