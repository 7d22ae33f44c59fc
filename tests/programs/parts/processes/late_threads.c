/*
 * Threads that come to a sealed file for the first time when they are ending, in the last round of destructors, and one after the other in the same
 * memory; between them forks, whose children use the file, too. Argument: the directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 12, FIRST_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };

static pthread_key_t s_key;
static int s_fd;
static char s_data[3 << 14];

static void check(int good, const char *what)
{
    if (!good) {
        printf("%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

/* A block that was written over is in no cache of what was read. */
static void use_file(int number)
{
    char byte = (char)('a' + number % 26), found;
    check(pwrite(s_fd, &byte, 1, 5) == 1, "pwrite");
    check(pread(s_fd, s_data, sizeof s_data - 100, 100) > 0, "pread");
    check(pread(s_fd, &found, 1, 5) == 1 && found == byte, "the byte");
}

/* The value counts the rounds: 1 in the first. */
static void at_end(void *value)
{
    long round = (long)value;
    if (round < FIRST_ROUNDS)
        pthread_setspecific(s_key, (void *)(round + 1));
    else
        use_file((int)round);
}

static void *live(void *number)
{
    pthread_setspecific(s_key, (void *)1L);
    if ((long)number % 3 == 2)
        use_file((int)(long)number);
    return NULL;
}

int main(int argc, char **argv)
{
    int status;
    /* Before the engine makes its own, as soon as a volume is touched: so in each round this comes first. */
    check(pthread_key_create(&s_key, at_end) == 0, "pthread_key_create");
    check(argc == 2 && chdir(argv[1]) == 0, "chdir");
    s_fd = open("late", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(s_fd >= 0 && write(s_fd, s_data, sizeof s_data) == (ssize_t)sizeof s_data, "late");
    for (long i = 0; i < THREADS; i++) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, live, (void *)i) == 0, "pthread_create");
        check(pthread_join(thread, NULL) == 0, "pthread_join");
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            use_file((int)i);
            _exit(7);
        }
        check(child > 0 && waitpid(child, &status, 0) == child, "fork");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
            printf("child %ld: status %#x\n", i, status);
            return 1;
        }
    }
    puts("all ended");
    return 0;
}
