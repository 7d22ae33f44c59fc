/*
 * timed ROW TIMES COMMAND...: starts a command TIMES times, after two that do not count (none if TIMES is 1); the median of the
 * time from spawn to exit.
 */
#include "measure.h"
#include <spawn.h>
#include <sys/wait.h>

/* What stands in ENVIRONMENT is for the command alone, so that it is not this program that runs under the shim. */
static char **environment_of_the_command(void)
{
    char *lines = getenv("ENVIRONMENT"), **result = calloc(512, sizeof *result);
    size_t count = 0;
    for (; environ[count] != NULL && count < 256; count++)
        result[count] = environ[count];
    for (char *line = lines != NULL ? strtok(strdup(lines), "\n") : NULL; line != NULL && count < 511; line = strtok(NULL, "\n"))
        result[count++] = line;
    return result;
}

static double start_once(char **command, char **environment, posix_spawn_file_actions_t *actions)
{
    pid_t child;
    int status;
    double start = seconds();
    need((errno = posix_spawnp(&child, command[0], actions, NULL, command, environment)) == 0, command[0]);
    waitpid(child, &status, 0);
    double took = seconds() - start;
    if (status != 0) {
        fprintf(stderr, "timed: %s: status %d\n", command[0], status);
        exit(1);
    }
    return took;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int times = argc > 3 ? atoi(argv[2]) : 0;
    if (times < 1)
        return 2;
    char **environment = environment_of_the_command();
    double *took = malloc(sizeof(double) * (size_t)times);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int i = times > 1 ? -2 : 0; i < times; i++) {
        double time = start_once(argv + 3, environment, &actions);
        if (i >= 0)
            took[i] = time;
    }
    qsort(took, (size_t)times, sizeof(double), by_value);
    printf("%s us %.1f\n", argv[1], took[times / 2] * 1e6);
    return 0;
}
