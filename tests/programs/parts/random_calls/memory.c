/* Mappings: made, looked at, stored to, and gone within a step; whole pages behind the end are SIGBUS. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "world.h"

static sigjmp_buf s_back;

static void on_signal(int number) { siglongjmp(s_back, number); }

static void touch(volatile unsigned char *at, int is_store)
{
    struct sigaction action = {.sa_handler = on_signal}, before[2];
    sigaction(SIGBUS, &action, &before[0]);
    sigaction(SIGSEGV, &action, &before[1]);
    int number = sigsetjmp(s_back, 1);
    if (number == 0) {
        unsigned char value = *at;
        if (is_store)
            *at = (unsigned char)(value + 1);
        say(" %u", value);
    } else
        say(" %s", sigabbrev_np(number));
    sigaction(SIGBUS, &before[0], NULL);
    sigaction(SIGSEGV, &before[1], NULL);
}

void step_of_memory(void)
{
    int fd = any_fd(), is_shared = one_in(2);
    static const int protections[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE};
    int protection = protections[below(4)];
    int64_t offset = one_in(2) ? 0 : (int64_t)below(6) * 4096;
    size_t size = 1 + below(60000);
    say("mmap(%d, %s, %d, %lld, %zu)", fd, is_shared ? "shared" : "private", protection, (long long)offset, size);
    unsigned char *at = mmap(NULL, size, protection, is_shared ? MAP_SHARED : MAP_PRIVATE, fd, offset);
    if (at == MAP_FAILED) {
        answer(-1);
        return;
    }
    for (int i = 0; i < 6; i++)
        touch(at + below((unsigned)size), protection == (PROT_READ | PROT_WRITE) && one_in(2));
    if (is_shared && one_in(2))
        msync(at, size, one_in(2) ? MS_SYNC : MS_ASYNC);
    answer(munmap(at, size));
}
