/*
 * startup ROUNDS ENVIRONMENT-FILE COMMAND... -- COMMAND...
 *
 * Starts two commands in turn, the first in our own environment, the second with the lines of the file added to it, and
 * prints for each the median and the lower quartile of the time from spawn to exit, in microseconds. In turn, because
 * the machine's mood changes over seconds; medians, because its outliers lie on one side.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char **with_lines_of(const char *path)
{
    size_t count = 0, room = 0;
    while (environ[count] != NULL)
        count++;
    char **result = malloc((count + 256) * sizeof *result), *line = NULL;
    memcpy(result, environ, count * sizeof *result);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    for (size_t limit = count + 255; count < limit && getline(&line, &room, file) > 0;) {
        line[strcspn(line, "\n")] = 0;
        result[count++] = strdup(line);
    }
    fclose(file);
    result[count] = NULL;
    return result;
}

static double run(char **command, char **environment, posix_spawn_file_actions_t *actions)
{
    struct timespec start, end;
    pid_t child;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (posix_spawnp(&child, command[0], actions, NULL, command, environment) != 0) {
        perror(command[0]);
        exit(2);
    }
    waitpid(child, &status, 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (status != 0) {
        fprintf(stderr, "startup: %s: status %d\n", command[0], status);
        exit(2);
    }
    return (double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int split = 3;
    while (split < argc && strcmp(argv[split], "--") != 0)
        split++;
    if (argc < 6 || split >= argc - 1)
        return 2;
    argv[split] = NULL;
    char **commands[2] = {argv + 3, argv + split + 1}, **environments[2] = {environ, with_lines_of(argv[2])};
    int rounds = atoi(argv[1]);
    double *times[2] = {malloc(sizeof(double) * (size_t)rounds), malloc(sizeof(double) * (size_t)rounds)};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int round = -3; round < rounds; round++)
        for (int which = 0; which < 2; which++) {
            double time = run(commands[which], environments[which], &actions);
            if (round >= 0)
                times[which][round] = time;
        }
    for (int which = 0; which < 2; which++) {
        qsort(times[which], (size_t)rounds, sizeof(double), by_value);
        printf("%.1f %.1f%c", times[which][rounds / 2], times[which][rounds / 4], which == 0 ? ' ' : '\n');
    }
    return 0;
}
