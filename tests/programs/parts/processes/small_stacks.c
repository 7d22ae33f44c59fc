/*
 * File calls where there is little stack: in threads of PTHREAD_STACK_MIN bytes, and in handlers on a signal stack of 8 KiB. Below each
 * lies a page that must not be touched. Arguments: threads, signal or forks; a directory for new files.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREAD_STACK = 16384, SIGNAL_STACK = 8192, PAGE = 4096, DATA = 100000 };

#define must(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line)
{
    static char text[200];
    int length = snprintf(text, sizeof text, "line %d: %s (%s)\n", line, what, strerror(errno));
    write(2, text, (size_t)length);
    _exit(1);
}

static char s_data[DATA], s_back[8][DATA];

/* Memory of `size` bytes with a page below that may not be touched. */
static char *guarded(size_t size)
{
    char *low = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(low != MAP_FAILED);
    must(mprotect(low, PAGE, PROT_NONE) == 0);
    return low + PAGE;
}

/* Each family of calls, with frames of its own that are small. */
static void use_files(int number, int round)
{
    char name[40], other[40];
    struct stat status;
    snprintf(name, sizeof name, "./file-%d", number);
    snprintf(other, sizeof other, "sub/../sub/moved-%d", number);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0);
    must(write(fd, s_data, DATA) == DATA);
    must(pwrite(fd, "x", 1, DATA / 2 + round) == 1);
    must(pread(fd, s_back[number], DATA, 0) == DATA);
    must(s_back[number][DATA / 2 + round] == 'x' && s_back[number][DATA - 1] == s_data[DATA - 1]);
    must(ftruncate(fd, DATA - 7) == 0 && fstat(fd, &status) == 0 && status.st_size == DATA - 7);
    must(fsync(fd) == 0);
    char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    must(map != MAP_FAILED && memcmp(map, s_data, PAGE) == 0 && munmap(map, PAGE) == 0);
    must(close(fd) == 0);
    must(rename(name, other) == 0 && stat(other, &status) == 0 && status.st_size == DATA - 7);
    must(link(other, name) == 0 && unlink(other) == 0);
    must(truncate(name, 10) == 0);
    fd = open(name, O_WRONLY | O_APPEND);
    must(fd >= 0 && write(fd, "appended", 8) == 8 && close(fd) == 0);
    must(access(".overlay", F_OK) < 0);
}

static void *thread(void *argument)
{
    for (int round = 0; round < 20; round++)
        use_files((int)(long)argument, round);
    return NULL;
}

/* They end, and others come on the same stacks. */
static void in_threads(void)
{
    pthread_t threads[4];
    char *stacks[4];
    for (int generation = 0; generation < 10; generation++) {
        for (long i = 0; i < 4; i++) {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            if (generation == 0)
                stacks[i] = guarded(THREAD_STACK);
            must(pthread_attr_setstack(&attributes, stacks[i], THREAD_STACK) == 0);
            must(pthread_create(&threads[i], &attributes, thread, (void *)i) == 0);
        }
        for (int i = 0; i < 4; i++)
            must(pthread_join(threads[i], NULL) == 0);
    }
    puts("threads");
}

static volatile sig_atomic_t s_handled;

static void on_signal(int number)
{
    (void)number;
    int saved = errno;
    use_files(5, (int)s_handled++);
    errno = saved;
}

static void on_signal_stack(void)
{
    stack_t stack = {.ss_sp = guarded(SIGNAL_STACK), .ss_size = SIGNAL_STACK};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    must(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    for (int i = 0; i < 50; i++)
        raise(SIGUSR1);
    must(s_handled == 50);
    puts("signal stack");
}

/* A fork of such a thread has its stack, too; it executes another program there. */
static void *forking_thread(void *argument)
{
    (void)argument;
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        must(child >= 0);
        if (child == 0) {
            use_files(6, i);
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status;
        must(waitpid(child, &status, 0) == child && status == 0);
    }
    return NULL;
}

static void in_forks(void)
{
    pthread_t forking;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    must(pthread_attr_setstack(&attributes, guarded(THREAD_STACK), THREAD_STACK) == 0);
    must(pthread_create(&forking, &attributes, forking_thread, NULL) == 0);
    must(pthread_join(forking, NULL) == 0);
    puts("forks");
}

int main(int count, char **arguments)
{
    must(count == 3 && chdir(arguments[2]) == 0);
    for (int i = 0; i < DATA; i++)
        s_data[i] = (char)("a line of text\n"[i % 15] + i / 9000);
    must(mkdir("sub", 0755) == 0 || errno == EEXIST);
    switch (arguments[1][0]) {
    case 't': in_threads(); break;
    case 's': on_signal_stack(); break;
    case 'f': in_forks(); break;
    }
    return 0;
}
