/*
 * idle_child DIRECTORY: a process that writes has a child that does nothing, and is killed in the middle of its writing. The child has inherited
 * all its descriptors, and so whatever lock hangs on one of them; everybody else must be able to go on at once.
 * Environment: TORTURE_SEED, TORTURE_KILLS.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

#define FILE_SIZE (64 * 4096)
#define PATIENCE_MS 5000

/* Writes until it is killed; its child sleeps on. */
static void work(const char *path, uint64_t seed, int told)
{
    struct random random = {seed};
    unsigned char bytes[4096];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    must(fd >= 0);
    memset(bytes, 1, sizeof bytes);
    pwrite_all(fd, bytes, sizeof bytes, 0);
    pid_t idle = fork();
    must(idle >= 0);
    if (idle == 0) {
        for (;;)
            pause();
    }
    write_all(told, &idle, sizeof idle);
    for (;;)
        pwrite_all(fd, bytes, sizeof bytes, below(&random, FILE_SIZE / sizeof bytes) * sizeof bytes);
}

/* In a process of its own: true if it wrote, read and ended in time. */
static bool can_go_on(const char *path)
{
    int status;
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        unsigned char bytes[4096];
        int fd = open(path, O_RDWR | O_CLOEXEC);
        must(fd >= 0);
        memset(bytes, 1, sizeof bytes);
        pwrite_all(fd, bytes, sizeof bytes, 0);
        must(pread_all(fd, bytes, sizeof bytes, 0) == sizeof bytes);
        _exit(0);
    }
    for (uint64_t end = now_ms() + PATIENCE_MS; now_ms() < end; usleep(500))
        if (waitpid(child, &status, WNOHANG) == child)
            return status == 0;
    kill(child, SIGKILL);
    must(waitpid(child, &status, 0) == child);
    return false;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: idle_child DIRECTORY\n");
        return 2;
    }
    torture_name = "idle_child";
    torture_seed = setting("TORTURE_SEED", 1);
    struct random random = {torture_seed};
    uint64_t kills = setting("TORTURE_KILLS", 30);
    char path[4096];
    for (uint64_t i = 0; i < kills; i++) {
        snprintf(path, sizeof path, "%s/file.%llu", arguments[1], (unsigned long long)(i % 3));
        int ends[2], status;
        must(pipe2(ends, O_CLOEXEC) == 0);
        pid_t worker = fork(), idle;
        must(worker >= 0);
        if (worker == 0)
            work(path, draw(&random) + i, ends[1]);
        must(read(ends[0], &idle, sizeof idle) == sizeof idle);
        close(ends[0]);
        close(ends[1]);
        usleep((useconds_t)below(&random, 5000));
        must(kill(worker, SIGKILL) == 0 && waitpid(worker, &status, 0) == worker);
        bool goes_on = can_go_on(path);
        kill(idle, SIGKILL);
        if (!goes_on)
            fail("kill %llu: nobody could write any more while the killed writer's child lived", (unsigned long long)i);
        beat();
    }
    printf("%llu writers killed beside an idle child\n", (unsigned long long)kills);
    return 0;
}
