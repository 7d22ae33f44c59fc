/* A large file whose every word says where it is, private mappings of it, and faults that are caught. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1L << 20)
#define SIZE (48 * MIB + 1234)
#define HOLE (20 * MIB)
#define HOLE_END (28 * MIB)
#define PATH_AT (33 * MIB + 4090) /* a path that crosses a page */
#define CHECK(condition) ((condition) ? (void)0 : (printf("line %d: %s, errno %d\n", __LINE__, #condition, errno), exit(1)))

static inline uint64_t word_at(long offset)
{
    return offset >= HOLE && offset < HOLE_END ? 0 : (uint64_t)offset * 0x9e3779b97f4a7c15 + 1;
}

static inline int is_right(const char *map, long offset)
{
    return *(const volatile uint64_t *)(map + offset) == word_at(offset);
}

static inline void make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    static uint64_t words[MIB / 8];
    for (long at = 0; at < SIZE; at += MIB) {
        for (long i = 0; i < MIB / 8; i++)
            words[i] = word_at(at + 8 * i);
        size_t size = at + MIB > SIZE ? SIZE - at : MIB;
        if (at < HOLE || at >= HOLE_END)
            CHECK(pwrite(fd, words, size, at) == (ssize_t)size);
    }
    CHECK(pwrite(fd, "named by the file", 18, PATH_AT) == 18);
    CHECK(close(fd) == 0);
}

static inline char *map_file(const char *path, int protection)
{
    int fd = open(path, O_RDONLY);
    char *map = mmap(NULL, SIZE, protection, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK(close(fd) == 0);
    return map;
}

static sigjmp_buf s_back;
static volatile int s_signal, s_code;
static char *volatile s_address;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    s_signal = number;
    s_code = info->si_code;
    s_address = info->si_addr;
    siglongjmp(s_back, 1);
}

static inline void catch_faults(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

/* What a load, or a store, gives: 0, or the signal with its code and whether the address is told. */
static inline int touch(char *at, int is_storing)
{
    s_signal = s_code = 0;
    if (sigsetjmp(s_back, 1) == 0) {
        if (is_storing)
            *(volatile char *)at = 'x';
        else
            (void)*(volatile char *)at;
    }
    return s_signal == 0 ? 0 : s_signal * 100 + s_code * 10 + (s_address == at);
}

/* How a child ends that does this. */
static inline int status_of(void (*function)(void *), void *argument)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        function(argument);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}
