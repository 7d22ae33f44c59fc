/* For small_files.c: files of one letter each, descriptors over sockets, and the two long runs. */
#include <pthread.h>

#define need(condition) need_it((condition), #condition, __LINE__)

static void need_it(int is_met, const char *what, int line)
{
    if (is_met)
        return;
    fflush(stdout);
    fprintf(stderr, "line %d: %s, errno %d\n", line, what, errno);
    _exit(1);
}

/* What the kernel would say. */
static long told(ssize_t result)
{
    return result < 0 ? -errno : result;
}

static void make(const char *name, char letter, size_t size)
{
    char bytes[4096];
    memset(bytes, letter, size);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need(write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void send_descriptor(int socket, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec part = {"d", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.head.cmsg_len = CMSG_LEN(sizeof fd);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    need(sendmsg(socket, &message, 0) == 1);
}

static int receive(int socket)
{
    char byte, room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd;
    need(recvmsg(socket, &message, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Opens one of ten files, reads it in two pieces and looks at each byte. */
static void look_at(int which)
{
    char name[16] = "letter-0", buffer[600];
    name[7] = (char)('0' + which % 10);
    int fd = open(name, O_RDONLY);
    ssize_t size = 100 + which % 10 * 40, first = read(fd, buffer, 50), second = read(fd, buffer + 50, sizeof buffer - 50);
    need(first == 50 && second == size - 50 && read(fd, buffer + size, 60) == 0 && close(fd) == 0);
    for (ssize_t i = 0; i < size; i++)
        need(buffer[i] == 'a' + which % 10);
}

static void make_letters(void)
{
    char name[16] = "letter-0";
    for (int i = 0; i < 10; i++) {
        name[7] = (char)('0' + i);
        make(name, (char)('a' + i), (size_t)(100 + i * 40));
    }
}

static volatile sig_atomic_t s_alarms, s_may_jump;
static sigjmp_buf s_back;

static void on_alarm(int signal)
{
    (void)signal;
    int kept = errno;
    look_at(s_alarms++);
    errno = kept;
    /* Each leaves a descriptor behind. */
    if (s_may_jump > 0 && s_may_jump < 100 && s_alarms % 7 == 0) {
        s_may_jump++;
        siglongjmp(s_back, 1);
    }
}

/* A handler that reads files of its own, and from time to time does not return. */
static void interruptions(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    volatile int looked = 0;
    make_letters();
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int phase = 0; phase < 2; phase++) {
        s_may_jump = phase;
        sigsetjmp(s_back, 1);
        while (looked < (phase + 1) * 20000)
            look_at(looked++);
        s_may_jump = 0;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("interrupted: %s\n", s_alarms > 10 ? "often" : "never");
}

static void *look_often(void *unused)
{
    unsigned seed = (unsigned)(size_t)unused;
    for (int i = 0; i < 10000; i++)
        look_at((int)(rand_r(&seed) % 10));
    return NULL;
}

static void threads(void)
{
    pthread_t all[3];
    for (size_t i = 0; i < 3; i++)
        need(pthread_create(&all[i], NULL, look_often, (void *)(i + 1)) == 0);
    look_often(NULL);
    for (int i = 0; i < 3; i++)
        need(pthread_join(all[i], NULL) == 0);
    printf("threads: done\n");
}
