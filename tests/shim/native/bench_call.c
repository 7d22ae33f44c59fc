/* bench_call [PRELOAD.so]: what a call costs with and without the patches, and what the patches add to the start of a
 * process. Prints figures; nothing is asserted. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>


enum { CALLS = 20000, ROUNDS = 500, STARTS = 1000 };    /* short rounds: some fall between other programs' turns */

static int s_handle, s_vectors;

static void nothing(void *argument)
{
    (void)argument;
}

GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    if (!s_handle || call->number != SYS_umask)
        return PASS_ON;
    call->result = 0;
    if (s_vectors)
        overlay_with_vector_state_saved(nothing, NULL);
    return HANDLED;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The best of several rounds: the rest is other programs' noise. */
static double per_call(void)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < CALLS; i++)
            umask(022);
        double each = (now() - start) / CALLS;
        best = each < best ? each : best;
    }
    return best;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double start_once(char *preload)
{
    char *arguments[] = { "true", NULL }, *environment[] = { preload, NULL };
    pid_t pid;
    int status;
    double start = now();
    CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return (now() - start) / 1000;
}

static void starts(const char *library)
{
    static double without[STARTS], with[STARTS];
    char preload[4096];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    for (int i = 0; i < STARTS; i++) {
        without[i] = start_once("NOTHING=");
        with[i] = start_once(preload);
    }
    qsort(without, STARTS, sizeof(double), ascending);
    qsort(with, STARTS, sizeof(double), ascending);
    printf("start of a process, us: without min %.0f median %.0f, with min %.0f median %.0f: added %.0f to %.0f\n",
           without[0], without[STARTS / 2], with[0], with[STARTS / 2], with[0] - without[0],
           with[STARTS / 2] - without[STARTS / 2]);
}

int main(int count, char **arguments)
{
    if (count > 1)
        starts(arguments[1]);
    double plain = per_call();
    double start = now();
    install(SYS_umask);
    printf("overlay_patch_install, us: %.0f (libc's text already read)\n", (now() - start) / 1000);
    double passed = per_call();
    overlay_interest[SYS_umask] = 0;
    double not_asked = per_call();
    overlay_interest[SYS_umask] = 1;
    s_handle = 1;
    double handled = per_call();
    s_vectors = 1;
    double with_vectors = per_call();
    printf("umask(), ns: unpatched %.1f, passed by the filter %.1f (+%.1f), not asked %.1f (+%.1f), "
           "handled %.1f, handled with vector state saved %.1f (+%.1f)\n", plain, passed, passed - plain, not_asked,
           not_asked - plain, handled, with_vectors, with_vectors - handled);
    return 0;
}
