/*
 * interrupted DIRECTORY: threads that are cancelled, both ways, and handlers that jump out, while sealed files are read and written. What
 * was written is whole afterwards, and all goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { RECORD = 6000, RECORDS = 40, CANCELLED = 200, JUMPS = 500 };

#define must(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line)
{
    printf("line %d: %s (%s)\n", line, what, strerror(errno));
    exit(1);
}

static char s_path[4096];
static int s_fd;
static atomic_int s_started;

/* A record is RECORD times one letter; two of them share a block. */
static void write_and_read(unsigned step, char *buffer)
{
    off_t offset = (off_t)(step % RECORDS) * RECORD;
    memset(buffer, 'a' + (int)(step % 26), RECORD);
    if (pwrite(s_fd, buffer, RECORD, offset) == RECORD)
        (void)!pread(s_fd, buffer, RECORD, offset);
}

/* A write that was not interrupted in the middle left a record of one letter, or none. */
static void check_file(const char *after)
{
    char buffer[RECORD];
    int fd = open(s_path, O_RDONLY);
    must(fd >= 0);
    for (int i = 0; i < RECORDS; i++) {
        ssize_t size = pread(fd, buffer, RECORD, (off_t)i * RECORD);
        must(size == RECORD || size == 0);
        for (ssize_t at = 1; at < size; at++)
            must(buffer[at] == buffer[0]);
    }
    must(close(fd) == 0);
    printf("%s: whole\n", after);
}

static void *cancelled(void *asynchronously)
{
    static _Thread_local char t_buffer[RECORD];
    pthread_setcanceltype(asynchronously != NULL ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED, NULL);
    atomic_fetch_add(&s_started, 1);
    for (unsigned step = 0;; step++)
        write_and_read(step, t_buffer);
    return NULL;
}

static void cancel(void *asynchronously)
{
    for (int i = 0; i < CANCELLED; i++) {
        pthread_t thread;
        void *result;
        atomic_store(&s_started, 0);
        must(pthread_create(&thread, NULL, cancelled, asynchronously) == 0);
        while (atomic_load(&s_started) == 0)
            usleep(10);
        usleep((useconds_t)(i * 7 % 900));
        must(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
    check_file(asynchronously != NULL ? "cancelled anywhere" : "cancelled");
}

static sigjmp_buf s_back;
static volatile sig_atomic_t s_may_jump;

static void on_alarm(int number)
{
    (void)number;
    if (s_may_jump)
        siglongjmp(s_back, 1);
}

static void jump_out(void)
{
    static char s_buffer[RECORD];
    static volatile unsigned s_step;
    static volatile int s_jumps;
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
    must(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    if (sigsetjmp(s_back, 1) != 0)
        s_jumps++;
    s_may_jump = 1;
    while (s_jumps < JUMPS)
        write_and_read(s_step++, s_buffer);
    s_may_jump = 0;
    must(setitimer(ITIMER_REAL, &never, NULL) == 0);
    check_file("jumped out of");
}

int main(int count, char **arguments)
{
    must(count == 2);
    snprintf(s_path, sizeof s_path, "%s/written", arguments[1]);
    s_fd = open(s_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(s_fd >= 0);
    cancel(NULL);
    cancel(&s_fd);
    jump_out();
    struct stat status;
    must(fstat(s_fd, &status) == 0 && close(s_fd) == 0);
    puts(status.st_size <= RECORD * RECORDS && status.st_size % RECORD == 0 ? "the size is right" : "the size is wrong");
    return 0;
}
