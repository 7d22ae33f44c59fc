#include "last_thread.h"

#include <time.h>

#include "borrowed.h"
#include "gate.h"
#include "helper.h"
#include "syscalls.h"
#include "text.h"

#define ROUNDS 400
static const struct timespec s_moment = {.tv_nsec = 50000};

#define IS_EXITING 0x4 /* PF_EXITING, in the flags that /proc/PID/stat shows */

/*
 * Threads that have ended as far as we see it, and which libc and the kernel are still busy with: 0, or an id. Those that end together are told one after
 * the other, so that one is the last.
 */
#define ENDED_LIMIT 64
static int s_ended[ENDED_LIMIT], s_ended_count; /* count: of places in use, at most */
static int s_lock;

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static int number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (*name - '0');
    return number;
}

/* Field 9 of its line; the second is a name in parentheses, which may hold anything. */
static int flags_in(const char *line)
{
    const char *at = line;
    for (const char *c = line; *c != 0; c++)
        if (*c == ')')
            at = c;
    for (int field = 2; field < 9; field++) {
        while (*at != 0 && *at != ' ')
            at++;
        at += *at == ' ';
    }
    return number_of(at);
}

static int *place_of(int thread)
{
    for (int i = 0; i < __atomic_load_n(&s_ended_count, __ATOMIC_RELAXED); i++)
        if (__atomic_load_n(&s_ended[i], __ATOMIC_RELAXED) == thread)
            return &s_ended[i];
    return NULL;
}

static bool goes_on(int tasks, int thread)
{
    char path[32], line[512];
    size_t length = text_decimal(path, (unsigned long)thread);
    text_copy(path + length, "/stat", sizeof "/stat");
    long fd = sys_openat(tasks, path, O_RDONLY | O_CLOEXEC, 0);
    long count = fd < 0 ? fd : sys_pread((int)fd, line, sizeof line - 1, 0);
    if (fd >= 0)
        sys_close((int)fd);
    line[count < 0 ? 0 : count] = 0;
    return count > 0 && (flags_in(line) & IS_EXITING) == 0;
}

/*
 * Mostly it does. Its root has no name any more when it has ended. (To list the directory costs more than time here: it makes the kernel know each thread by
 * its name, which then takes it long to end.)
 */
static bool first_goes_on(void)
{
    char target[8];
    return place_of(overlay_own_pid) == NULL && sys_readlink("/proc/self/root", target, sizeof target) > 0;
}

static void note_end(int self)
{
    for (int i = 0; i < ENDED_LIMIT; i++) {
        int other = s_ended[i];
        if (other != 0 && other != self && overlay_raw_syscall3(SYS_tgkill, overlay_own_pid, other, 0) == 0)
            continue;
        __atomic_store_n(&s_ended[i], self, __ATOMIC_RELAXED);
        if (i >= s_ended_count)
            __atomic_store_n(&s_ended_count, i + 1, __ATOMIC_RELAXED);
        return;
    }
}

/* `are_ending`: there are some that libc may not have counted yet. */
static bool has_others(int tasks, int self, bool *are_ending)
{
    char buffer[1024] __attribute__((aligned(8)));
    int helper = helper_thread();
    for (long count; (count = overlay_raw_syscall3(SYS_getdents64, tasks, (long)buffer, sizeof buffer)) > 0;)
        for (long at = 0; at < count;) {
            const struct entry *entry = (const struct entry *)(buffer + at);
            int number = number_of(entry->name);
            if (number != 0 && number != self && number != helper && goes_on(tasks, number)) {
                if (place_of(number) == NULL)
                    return true;
                *are_ending = true;
            }
            at += entry->length;
        }
    return false;
}

static bool is_last(int self, bool *are_ending)
{
    *are_ending = false;
    if (self != overlay_own_pid && first_goes_on())
        return false;
    if (borrowed_thread_count() == 1)
        return true;
    long tasks = sys_openat(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (tasks < 0)
        return false; /* not to be told: few have a last thread that is not the first */
    bool is_last = !has_others((int)tasks, self, are_ending);
    sys_close((int)tasks);
    return is_last;
}

bool last_thread_is_this(void)
{
    int self = (int)overlay_raw_syscall3(SYS_gettid, 0, 0, 0);
    lock_take(&s_lock);
    bool is_last_now, are_ending;
    /* Until libc has counted the others, or one of them would call exit. */
    for (int round = 0; (is_last_now = is_last(self, &are_ending)) && are_ending && round < ROUNDS; round++)
        overlay_raw_syscall3(SYS_nanosleep, (long)&s_moment, 0, 0);
    if (!is_last_now)
        note_end(self);
    lock_give(&s_lock);
    return is_last_now;
}

void last_thread_begin(void)
{
    if (__atomic_load_n(&s_ended_count, __ATOMIC_RELAXED) == 0)
        return;
    int *place = place_of((int)overlay_raw_syscall3(SYS_gettid, 0, 0, 0));
    if (place != NULL)
        __atomic_store_n(place, 0, __ATOMIC_RELAXED);
}

void last_thread_in_child(void)
{
    s_ended_count = s_lock = 0;
    for (int i = 0; i < ENDED_LIMIT; i++)
        s_ended[i] = 0;
}
