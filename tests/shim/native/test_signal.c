/* Signals that arrive while a call is in the filter or in the kernel. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

enum { FAKE_DESCRIPTOR = 4711 };

static sigjmp_buf s_escape;
static volatile int s_handled, s_nested, s_jump;
static int s_pipe[2];

/* A read of FAKE_DESCRIPTOR raises a signal in the middle of the filter, then answers 5. */
GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    if (call->number != SYS_read || call->args[0] != FAKE_DESCRIPTOR)
        return PASS_ON;
    overlay_raw_syscall3(SYS_kill, overlay_raw_syscall3(SYS_getpid, 0, 0, 0), SIGUSR1, 0);
    call->result = 5;
    return HANDLED;
}

static void handler(int number)
{
    char byte = (char)number;
    double arithmetic = 1.5;
    s_handled++;
    s_nested += write(s_pipe[1], &byte, 1) == 1;    /* a patched call inside a patched call */
    s_nested += (arithmetic * 2 == 3.0);
    if (s_jump)
        siglongjmp(s_escape, 1);
}

static void take(int number, int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void in_the_filter(void)
{
    char byte;
    take(SIGUSR1, 0);
    CHECK(read(FAKE_DESCRIPTOR, &byte, 1) == 5);
    CHECK(s_handled == 1 && s_nested == 2);
    CHECK(read(s_pipe[0], &byte, 1) == 1 && byte == SIGUSR1);
}

static void out_of_the_filter(void)
{
    char byte;
    s_jump = 1;
    for (int i = 0; i < 1000; i++) {
        if (sigsetjmp(s_escape, 1) == 0) {
            read(FAKE_DESCRIPTOR, &byte, 1);
            CHECK(!"the handler jumped away");
        }
        CHECK(read(s_pipe[0], &byte, 1) == 1);
    }
    s_jump = 0;
}

static void *send_later(void *thread)
{
    char byte = 'r';
    usleep(30000);
    pthread_kill(*(pthread_t *)thread, SIGUSR2);
    usleep(30000);
    CHECK(write(s_pipe[1], &byte, 1) == 1);
    return NULL;
}

/* The kernel goes back to the `syscall` instruction to restart a call: to the original one, which must be there. */
static void in_the_kernel(int flags)
{
    int ends[2] = { s_pipe[0], s_pipe[1] };
    pthread_t self = pthread_self(), sender;
    char byte = 0;

    CHECK(pipe(s_pipe) == 0);
    take(SIGUSR2, flags);
    s_handled = 0;
    CHECK(pthread_create(&sender, NULL, send_later, &self) == 0);
    ssize_t got = read(s_pipe[0], &byte, 1);
    CHECK(s_handled == 1);
    if (flags & SA_RESTART)
        CHECK(got == 1 && (byte == SIGUSR2 || byte == 'r'));    /* the handler writes to the same pipe */
    else
        CHECK(got == -1 && errno == EINTR);
    CHECK(pthread_join(sender, NULL) == 0);
    close(s_pipe[0]);
    close(s_pipe[1]);
    s_pipe[0] = ends[0];
    s_pipe[1] = ends[1];
}

/* Any instruction of slot and trampoline may be the one a signal interrupts. */
static void everywhere(void)
{
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
    char byte;
    CHECK(fcntl(s_pipe[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(s_pipe[0], F_SETFL, O_NONBLOCK) == 0);
    take(SIGALRM, SA_RESTART);
    s_handled = 0;
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (long i = 0; i < 2000000 || s_handled < 100; i++) {
        errno = 0;
        CHECK(lseek(-1, i, SEEK_SET) == -1 && errno == EBADF);
        if (i % 16 == 0)
            while (read(s_pipe[0], &byte, 1) == 1)
                ;
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

int main(void)
{
    install(-1);
    CHECK(pipe(s_pipe) == 0);
    in_the_filter();
    out_of_the_filter();
    in_the_kernel(0);
    in_the_kernel(SA_RESTART);
    everywhere();
    printf("signals handled\n");
    return 0;
}
