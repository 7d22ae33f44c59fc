/*
 * native DIRECTORY OUTSIDE: io_setup, io_submit and their kin, by system call and by hand, as a program finds them: results, completions, what
 * is wrong with what, waiting, event descriptors, forks. The case compares the lines with those of a plain directory, where the kernel answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *s_marker;

/* What libaio, qemu and fio know of the ring. */
struct ring {
    unsigned id, count, head, tail, magic, compatible, incompatible, header_length;
    struct io_event events[];
};

static long say(const char *what, long result)
{
    printf("%s: %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
    return result;
}

#define SAY(call) say(#call, (long)(call))

static long io_setup(unsigned count, aio_context_t *context) { return syscall(SYS_io_setup, count, context); }
static long io_destroy(aio_context_t context) { return syscall(SYS_io_destroy, context); }
static long io_submit(aio_context_t context, long count, struct iocb **requests) { return syscall(SYS_io_submit, context, count, requests); }

static long io_getevents(aio_context_t context, long least, long limit, struct io_event *events, struct timespec *timeout)
{
    return syscall(SYS_io_getevents, context, least, limit, events, timeout);
}

static struct iocb request(int opcode, int fd, void *buffer, size_t size, long offset)
{
    return (struct iocb){.aio_data = 77, .aio_lio_opcode = (uint16_t)opcode, .aio_fildes = (uint32_t)fd, .aio_buf = (uintptr_t)buffer,
                         .aio_nbytes = size, .aio_offset = offset};
}

/* Submits one, and says what io_submit and the completion say. */
static void one(aio_context_t context, const char *what, struct iocb asked)
{
    struct iocb *list[] = {&asked};
    struct io_event event = {0};
    struct timespec soon = {10, 0};
    errno = 0;
    long submitted = io_submit(context, 1, list);
    printf("%s: submitted %ld %s", what, submitted < 0 ? -1 : submitted, submitted < 0 ? strerror(errno) : "");
    if (submitted == 1) {
        long got = io_getevents(context, 1, 1, &event, &soon);
        printf(", got %ld: %lld %s, of this request %d, data %lld", got, event.res < 0 ? -1LL : (long long)event.res,
               event.res < 0 ? strerror(-(int)event.res) : "", event.obj == (uintptr_t)&asked, (long long)event.data);
    }
    printf("\n");
}

static void contexts(void)
{
    aio_context_t context = 0, used = 1;
    SAY(io_setup(0, &context));
    SAY(io_setup(8, &used));
    SAY(io_setup(8, NULL));
    SAY(io_setup(8, (aio_context_t *)8));
    SAY(io_setup(0x7fffffff, &context));
    SAY(io_setup(8, &context));
    struct ring *ring = (struct ring *)context;
    printf("ring: magic %x, compatible %u, incompatible %u, header %u, room %d, empty %d\n", ring->magic, ring->compatible, ring->incompatible,
           ring->header_length, ring->count > 8, ring->head == ring->tail);
    SAY(io_destroy(context));
    SAY(io_destroy(context));
    SAY(io_destroy(0));
    SAY(io_submit(0, 0, NULL));
    SAY(io_getevents(0, 0, 0, NULL, NULL));
}

static void transfers(aio_context_t context, int fd)
{
    char text[100], back[100] = "";
    int length = snprintf(text, sizeof text, "%s asynchronous", s_marker);
    struct iovec pair[] = {{back, 5}, {back + 50, 7}};
    one(context, "write", request(IOCB_CMD_PWRITE, fd, text, (size_t)length, 10));
    one(context, "write far away", request(IOCB_CMD_PWRITE, fd, text, (size_t)length, 300000));
    one(context, "read", request(IOCB_CMD_PREAD, fd, back, sizeof back, 10 + length - 12));
    printf("%.12s\n", back);
    one(context, "read at the end", request(IOCB_CMD_PREAD, fd, back, sizeof back, 300000 + length));
    one(context, "read nothing", request(IOCB_CMD_PREAD, fd, back, 0, 0));
    one(context, "read vectors", request(IOCB_CMD_PREADV, fd, pair, 2, 10 + length - 12));
    printf("%.5s%.7s\n", back, back + 50);
    one(context, "write vectors", request(IOCB_CMD_PWRITEV, fd, pair, 2, 1000));
    one(context, "sync", request(IOCB_CMD_FSYNC, fd, NULL, 0, 0));
    one(context, "sync of data", request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0));
    printf("the offset is still %ld, the size %ld\n", lseek(fd, 0, SEEK_CUR), lseek(fd, 0, SEEK_END));
    lseek(fd, 0, SEEK_SET);
    struct iocb appended = request(IOCB_CMD_PWRITE, fd, text, 4, 0);
    appended.aio_rw_flags = 0x10; /* RWF_APPEND */
    one(context, "append", appended);
    printf("the size is %ld\n", lseek(fd, 0, SEEK_END));
}

static void mistakes(aio_context_t context, int fd, int reader, const char *directory)
{
    char buffer[100];
    int folder = open(directory, O_RDONLY), ends[2];
    struct iovec bad = {(void *)8, 10}, many = {buffer, 1};
    struct iocb strange = request(IOCB_CMD_PREAD, fd, buffer, 10, 0), *list[] = {&strange, NULL, (struct iocb *)8};
    one(context, "no descriptor", request(IOCB_CMD_PREAD, -1, buffer, 10, 0));
    one(context, "not open for writing", request(IOCB_CMD_PWRITE, reader, buffer, 10, 0));
    one(context, "a directory", request(IOCB_CMD_PREAD, folder, buffer, 10, 0));
    one(context, "a negative offset", request(IOCB_CMD_PREAD, fd, buffer, 10, -1));
    one(context, "a negative size", request(IOCB_CMD_PREAD, fd, buffer, (size_t)-1, 0));
    one(context, "a bad buffer", request(IOCB_CMD_PREAD, fd, (void *)8, 10, 0));
    one(context, "a bad buffer to write", request(IOCB_CMD_PWRITE, fd, (void *)8, 10, 0));
    one(context, "a bad vector", request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0));
    one(context, "a vector to nowhere", request(IOCB_CMD_PREADV, fd, &bad, 1, 0));
    one(context, "too many vectors", request(IOCB_CMD_PREADV, fd, &many, 1025, 0));
    one(context, "no such request", request(99, fd, buffer, 10, 0));
    one(context, "nothing", request(IOCB_CMD_NOOP, fd, buffer, 10, 0));
    one(context, "sync with a size", request(IOCB_CMD_FSYNC, fd, NULL, 10, 0));
    strange.aio_reserved2 = 1;
    one(context, "a reserved field", strange);
    strange.aio_reserved2 = 0;
    strange.aio_rw_flags = 0x40000000;
    one(context, "unknown flags", strange);
    strange.aio_rw_flags = 0;
    strange.aio_flags = IOCB_FLAG_RESFD;
    strange.aio_resfd = (uint32_t)-1;
    one(context, "no event descriptor", strange);
    strange.aio_resfd = (uint32_t)fd;
    one(context, "a file as event descriptor", strange);
    strange.aio_flags = 0;
    SAY(io_submit(context, -1, list));
    SAY(io_submit(context, 1, NULL));
    SAY(io_submit(context, 1, list + 1));
    SAY(io_submit(context, 1, list + 2));
    SAY(io_submit(context, 3, list)); /* the first is fine */
    struct io_event event;
    SAY(io_getevents(context, 1, 1, (struct io_event *)8, NULL));
    SAY(io_getevents(context, 1, 1, &event, (struct timespec *)8));
    SAY(io_getevents(context, 2, 1, &event, NULL));
    SAY(io_getevents(context, -1, 1, &event, NULL));
    SAY(io_getevents(context, 1, 1, &event, NULL));
    SAY(syscall(SYS_io_cancel, context, &strange, &event));
    SAY(syscall(SYS_io_cancel, context, (void *)8, &event));
    if (pipe(ends) == 0) {
        one(context, "write to a pipe", request(IOCB_CMD_PWRITE, ends[1], "in a pipe", 9, 0));
        one(context, "read from a pipe", request(IOCB_CMD_PREAD, ends[0], buffer, 9, 0));
        one(context, "sync a pipe", request(IOCB_CMD_FSYNC, ends[0], NULL, 0, 0));
        printf("%.9s\n", buffer);
    }
}

static void many(int fd)
{
    enum { COUNT = 300 };
    static struct iocb requests[COUNT], *list[COUNT];
    static char blocks[COUNT][4096];
    static struct io_event events[COUNT];
    aio_context_t context = 0;
    SAY(io_setup(COUNT, &context));
    for (int i = 0; i < COUNT; i++) {
        memset(blocks[i], 'a' + i % 26, sizeof blocks[i]);
        memcpy(blocks[i] + 100, s_marker, strlen(s_marker));
        requests[i] = request(IOCB_CMD_PWRITE, fd, blocks[i], sizeof blocks[i], (long)i * 5000);
        requests[i].aio_data = (uint64_t)i;
        list[i] = &requests[i];
    }
    long done = 0, got = 0;
    while (done < COUNT) {
        long result = io_submit(context, COUNT - done, list + done);
        if (result <= 0)
            break;
        done += result;
    }
    struct ring *ring = (struct ring *)context;
    printf("in the ring: %u\n", (ring->tail + ring->count - ring->head) % ring->count);
    /* As qemu does it: without a system call. */
    for (; got < 10; got++) {
        events[got] = ring->events[ring->head];
        ring->head = (ring->head + 1) % ring->count;
    }
    struct timespec none = {0, 0};
    for (long result; (result = io_getevents(context, 0, 33, events + got, &none)) > 0;)
        got += result;
    long sum = 0, wrong = 0;
    for (long i = 0; i < got; i++) {
        sum += (long)events[i].data;
        wrong += events[i].res != 4096 || events[i].obj != (uintptr_t)&requests[events[i].data];
    }
    printf("submitted %ld, got %ld, sum %ld, wrong %ld\n", done, got, sum, wrong);
    /* Nobody takes what is done: at some point there is no room, and afterwards there is again. */
    long accepted = 0;
    for (long result = 1; result > 0 && accepted < 100000; accepted += result > 0 ? result : 0)
        result = io_submit(context, 100, list);
    printf("at an end: %d, as many as asked for at least: %d\n", errno == EAGAIN, accepted >= COUNT);
    for (long result; (result = io_getevents(context, 0, COUNT, events, &none)) > 0;)
        accepted -= result;
    printf("all taken: %ld\n", accepted);
    SAY(io_submit(context, 1, list));
    SAY(io_destroy(context));
}

static aio_context_t s_context;
static int s_fd;

static void *submit_later(void *unused)
{
    char text[] = "later";
    struct iocb asked = request(IOCB_CMD_PWRITE, s_fd, text, 5, 0), *list[] = {&asked};
    (void)unused;
    for (int i = 0; i < 3; i++) {
        usleep(50000);
        syscall(SYS_io_submit, s_context, 1, list);
    }
    return NULL;
}

static void *destroy_later(void *unused)
{
    (void)unused;
    usleep(100000);
    syscall(SYS_io_destroy, s_context);
    return NULL;
}

static void on_signal(int signal) { (void)signal; }

static void waiting(int fd)
{
    struct io_event events[5];
    struct timespec none = {0, 0}, short_time = {0, 50000000};
    pthread_t thread;
    s_fd = fd;
    s_context = 0;
    SAY(io_setup(5, &s_context));
    SAY(io_getevents(s_context, 1, 5, events, &none));
    SAY(io_getevents(s_context, 1, 5, events, &short_time));
    SAY(io_getevents(s_context, 0, 5, events, NULL));
    pthread_create(&thread, NULL, submit_later, NULL);
    SAY(io_getevents(s_context, 3, 3, events, NULL));
    pthread_join(thread, NULL);

    /* A handler ends the wait even where it asks for calls to be restarted. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {.it_value = {0, 50000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    SAY(io_getevents(s_context, 1, 5, events, NULL));
    sigset_t blocked, open_mask;
    sigemptyset(&open_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGALRM);
    SAY(io_getevents(s_context, 1, 5, events, &short_time));
    struct {
        const sigset_t *mask;
        size_t size;
    } masks = {&open_mask, 8};
    SAY(syscall(SYS_io_pgetevents, s_context, 1L, 5L, events, NULL, &masks));
    SAY(syscall(SYS_io_pgetevents, s_context, 1L, 5L, events, &short_time, NULL));
    masks.size = 7;
    SAY(syscall(SYS_io_pgetevents, s_context, 1L, 5L, events, &short_time, &masks));
    SAY(syscall(SYS_io_pgetevents, s_context, 1L, 5L, events, &short_time, (void *)8));

    sigprocmask(SIG_UNBLOCK, &blocked, NULL);

    pthread_create(&thread, NULL, destroy_later, NULL);
    SAY(io_getevents(s_context, 1, 5, events, NULL));
    pthread_join(thread, NULL);
}

static void notices(int fd)
{
    aio_context_t context = 0;
    uint64_t value = 0;
    char text[] = "noticed";
    int notice = eventfd(0, EFD_NONBLOCK);
    struct iocb asked = request(IOCB_CMD_PWRITE, fd, text, 7, 0), *list[] = {&asked, &asked};
    struct pollfd ready = {notice, POLLIN, 0};
    asked.aio_flags = IOCB_FLAG_RESFD;
    asked.aio_resfd = (uint32_t)notice;
    SAY(io_setup(5, &context));
    SAY(poll(&ready, 1, 0));
    SAY(io_submit(context, 2, list));
    SAY(poll(&ready, 1, 1000));
    SAY(read(notice, &value, sizeof value));
    printf("told of %lu\n", value);
    struct io_event events[5];
    SAY(io_getevents(context, 0, 5, events, NULL));
    SAY(io_destroy(context));
}

static void forks(int fd)
{
    aio_context_t context = 0;
    char text[] = "forked";
    struct iocb asked = request(IOCB_CMD_PWRITE, fd, text, 6, 0), *list[] = {&asked};
    struct io_event events[5];
    struct timespec none = {0, 0};
    SAY(io_setup(5, &context));
    SAY(io_submit(context, 1, list));
    fflush(stdout);
    if (fork() == 0) {
        aio_context_t own = 0;
        SAY(io_submit(context, 1, list));
        SAY(io_getevents(context, 0, 5, events, &none));
        SAY(io_destroy(context));
        SAY(io_setup(5, &own));
        SAY(io_submit(own, 1, list));
        SAY(io_getevents(own, 1, 5, events, NULL));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    SAY(io_getevents(context, 0, 5, events, &none));
    SAY(io_destroy(context));
}

int main(int argc, char **argv)
{
    char path[4096];
    aio_context_t context = 0;
    if (argc < 3 || chdir(argv[1]) != 0 || (s_marker = getenv("MARKER")) == NULL)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    contexts();
    io_setup(10, &context);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            strcpy(path, "file");
        else
            snprintf(path, sizeof path, "%s/aio", argv[2]);
        printf("== %s\n", i == 0 ? "inside" : "outside");
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open(path, O_RDONLY);
        transfers(context, fd);
        mistakes(context, fd, reader, argv[1]);
        many(fd);
        waiting(fd);
        notices(fd);
        forks(fd);
        close(fd);
        close(reader);
    }
    return 0;
}
