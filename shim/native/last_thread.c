#include "last_thread.h"

#include <time.h>

#include "borrowed.h"
#include "gate.h"
#include "helper.h"
#include "syscalls.h"
#include "tasks.h"

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
    int flags = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        flags = flags * 10 + (*at - '0');
    return flags;
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
    char line[512];
    return tasks_read(tasks, thread, "stat", line, sizeof line) > 0 && (flags_in(line) & IS_EXITING) == 0;
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

struct others {
    int self, helper;
    bool are_ending; /* there are some that libc may not have counted yet */
};

static bool is_other(int tasks, int thread, void *argument)
{
    struct others *others = argument;
    if (thread == others->self || thread == others->helper || !goes_on(tasks, thread))
        return false;
    if (place_of(thread) == NULL)
        return true;
    others->are_ending = true;
    return false;
}

static bool is_last(int self, bool *are_ending)
{
    *are_ending = false;
    if (self != overlay_own_pid && first_goes_on())
        return false;
    if (borrowed_thread_count() == 1)
        return true;
    struct others others = {self, helper_thread(), false};
    int any = tasks_any(is_other, &others);
    *are_ending = others.are_ending;
    return any == 0; /* an error: not to be told; few have a last thread that is not the first */
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
