/* Children with the descriptors of this process, which waits for them: by fork, by exec behind fork and vfork, by posix_spawn. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

extern char **environ;
void run_steps(int count);

static void wait_for(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    say("child %x\n", status);
}

void step_of_processes(void)
{
    if (world.depth > 1)
        return;
    int kind = (int)below(4), count = 3 + (int)below(12);
    char seed[32], steps[16], depth[16], list[SLOTS * 12] = "";
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)next_random());
    snprintf(steps, sizeof steps, "%d", count);
    snprintf(depth, sizeof depth, "%d", world.depth + 1);
    size_t used = 0;
    for (int i = 0; i < SLOTS; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%d,", world.fds[i]);
    char *arguments[] = {(char *)world.self, (char *)world.root, seed, steps, depth, list, world.has_changed_user ? "1" : "0", NULL};
    static const char *const kinds[] = {"fork", "fork and exec", "vfork and exec", "posix_spawn"};
    say("%s, %d steps\n", kinds[kind], count);
    flush_log();
    pid_t child;
    if (kind == 0) {
        child = fork();
        if (child == 0) {
            world.depth++;
            run_steps(count);
            flush_log();
            _exit(0);
        }
    } else if (kind == 1) {
        child = fork();
        if (child == 0) {
            execv(world.self, arguments);
            _exit(8);
        }
    } else if (kind == 2) {
        child = vfork();
        if (child == 0) {
            execv(world.self, arguments);
            _exit(8);
        }
    } else if (posix_spawn(&child, world.self, NULL, NULL, arguments, environ) != 0)
        child = -1;
    wait_for(child);
}
