/*
 * random_calls DIRECTORY SEED STEPS [DEPTH DESCRIPTORS CHANGED-USER]: random file calls, each with its answer. The same directory twice, plain and in a volume,
 * must give the same log. Root changes between users, and gives its rights up for good in the middle. RANDOM_CALLS=data,names,... limits the kinds.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

static const struct {
    const char *name;
    void (*step)(void);
    unsigned weight;
} s_kinds[] = {
    {"data", step_of_data, 40},   {"names", step_of_names, 30},   {"rights", step_of_rights, 18},
    {"locks", step_of_locks, 6}, {"memory", step_of_memory, 6}, {"processes", step_of_processes, 2},
};
#define KINDS (sizeof s_kinds / sizeof *s_kinds)

/* To find the step after which something is otherwise. */
static void look_at_descriptors(void)
{
    for (int i = 0; i < SLOTS; i++) {
        uint64_t hash = 0;
        ssize_t count;
        for (off_t at = 0; (count = pread(world.fds[i], buffer, LARGEST, at)) > 0; at += count)
            hash = hash * 31 + digest(buffer, (size_t)count);
        if (world.fds[i] >= 0)
            say("    %d at %lld %016llx\n", world.fds[i], (long long)lseek(world.fds[i], 0, SEEK_CUR), (unsigned long long)hash);
    }
    flush_log();
}

void run_steps(int count)
{
    const char *only = getenv("RANDOM_CALLS");
    unsigned total = 0;
    for (size_t i = 0; i < KINDS; i++)
        total += s_kinds[i].weight;
    for (int i = 0; i < count; i++) {
        unsigned at = below(total);
        size_t kind = 0;
        while (at >= s_kinds[kind].weight)
            at -= s_kinds[kind++].weight;
        world.step++;
        if (only != NULL && strstr(only, s_kinds[kind].name) == NULL)
            continue;
        say("%d.%d ", world.depth, world.step);
        s_kinds[kind].step();
        if (getenv("RANDOM_AUDIT") != NULL)
            look_at_descriptors();
    }
}

static void look_at_everything(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "d/a", "d/b", "e", "e/a", "s", "d/s", "t", "t/a"};
    say("everything, as %u\n", geteuid());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        say_content(names[i]);
}

static void give_up_root(void)
{
    if (getuid() != 0)
        return;
    unsigned user = one_in(2) ? 1001 : 1002;
    if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 || setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0)
        _exit(7);
    world.has_changed_user = 1;
    say("from here on %u\n", user);
}

int main(int argc, char **argv)
{
    if (argc < 4 || chdir(argv[1]) < 0)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    world.root = argv[1];
    world.self = argv[0];
    world.random = strtoull(argv[2], NULL, 10);
    int steps = atoi(argv[3]);
    for (int i = 0; i < SLOTS; i++)
        world.fds[i] = -1;
    if (argc > 6) {
        world.depth = atoi(argv[4]);
        world.has_changed_user = atoi(argv[6]);
        const char *list = argv[5];
        for (int i = 0; i < SLOTS; i++, list = strchr(list, ',') + 1) {
            world.fds[i] = atoi(list);
            if (fcntl(world.fds[i], F_GETFD) < 0)
                world.fds[i] = -1;
        }
        run_steps(steps);
        flush_log();
        return 0;
    }
    umask(0);
    say("%d %d %d %d\n", mkdir("d", 0777), mkdir("e", 02777), mkdir("t", 01777), symlink("a", "s"));
    umask(022);
    if (steps == 0)
        look_at_everything();
    for (int left = steps; left > 0; left -= 40) {
        run_steps(left < 40 ? left : 40);
        if (one_in(2))
            look_at_everything();
        if (left <= steps / 2 && left > steps / 2 - 40 && one_in(2))
            give_up_root();
    }
    look_at_everything();
    flush_log();
    return 0;
}
