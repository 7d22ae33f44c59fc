/* Threads cancelled while a call is blocked in the kernel, and while it is in the filter; on a small stack too. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

enum { FAKE_DESCRIPTOR = 4711 };

static int s_pipe[2];
static volatile int s_cleaned, s_in_filter;

/* A read of FAKE_DESCRIPTOR sleeps in the filter, without libc's knowing that it is in a call that can be cancelled. */
GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    if (call->number != SYS_read || call->args[0] != FAKE_DESCRIPTOR)
        return PASS_ON;
    struct { long seconds, nanoseconds; } moment = { 0, 150 * 1000 * 1000 };
    s_in_filter = 1;
    overlay_raw_syscall3(SYS_nanosleep, (long)&moment, 0, 0);
    call->result = 5;
    return HANDLED;
}

static void clean(void *argument)
{
    (void)argument;
    s_cleaned++;
}

static void clean_variable(int *variable)
{
    s_cleaned += *variable;
}

static void *read_forever(void *descriptor)
{
    char byte;
    int scoped __attribute__((cleanup(clean_variable))) = 1;
    pthread_cleanup_push(clean, NULL);
    for (;;)
        if (read(*(int *)descriptor, &byte, 1) == 5)
            pthread_testcancel();
    pthread_cleanup_pop(1);
    return NULL;
}

static void cancel_reader(int descriptor, long stack, int wait)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;

    CHECK(pthread_attr_init(&attributes) == 0);
    if (stack)
        CHECK(pthread_attr_setstacksize(&attributes, (size_t)stack) == 0);
    s_cleaned = 0;
    s_in_filter = 0;
    CHECK(pthread_create(&thread, &attributes, read_forever, &descriptor) == 0);
    if (wait)
        usleep((useconds_t)wait);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK(s_cleaned == 2);
    pthread_attr_destroy(&attributes);
}

static void *write_and_read(void *argument)
{
    char text[128], back[128];
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof text, "line %d\n", i);
        CHECK(pwrite(file, text, (size_t)length, 0) == length && pread(file, back, sizeof back, 0) >= length);
        CHECK(memcmp(text, back, (size_t)length) == 0);
    }
    close(file);
    return argument;
}

static void on_a_small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
    CHECK(pthread_create(&thread, &attributes, write_and_read, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    install(-1);
    CHECK(pipe(s_pipe) == 0);
    for (int i = 0; i < 20; i++) {
        cancel_reader(s_pipe[0], 0, 5000);              /* blocked in the kernel */
        cancel_reader(FAKE_DESCRIPTOR, 0, 20000);       /* in the filter */
    }
    for (int i = 0; i < 500; i++)
        cancel_reader(s_pipe[0], 0, i % 50);            /* anywhere on the way: the request must not get lost */
    on_a_small_stack();
    printf("threads cancelled\n");
    return 0;
}
