/* The program's own SIGSEGV beside mappings that are filled by faults. */
#include "common.h"

static char *s_map;
static pthread_mutex_t s_step[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *touch_blocked(void *argument)
{
    sigset_t all, seen;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    if (argument == NULL) {
        pthread_mutex_unlock(&s_step[0]);
        pthread_mutex_lock(&s_step[1]);
    }
    int right = 0;
    for (long at = argument == NULL ? 0 : MIB / 2; at < SIZE - 8; at += MIB)
        right += is_right(s_map, at);
    pthread_sigmask(SIG_BLOCK, NULL, &seen);
    printf("%d right, blocked %d%d\n", right, sigismember(&seen, SIGSEGV), sigismember(&seen, SIGUSR1));
    return NULL;
}

static void blocked_threads(void)
{
    pthread_t before, after;
    pthread_mutex_lock(&s_step[0]), pthread_mutex_lock(&s_step[1]);
    pthread_create(&before, NULL, touch_blocked, NULL);
    pthread_mutex_lock(&s_step[0]);
    s_map = map_file("big", PROT_READ);
    pthread_mutex_unlock(&s_step[1]);
    pthread_join(before, NULL);
    munmap(s_map, SIZE);
    s_map = map_file("big", PROT_READ);
    pthread_create(&after, NULL, touch_blocked, s_map);
    pthread_join(after, NULL);
    munmap(s_map, SIZE);
}

static void in_handler(int number, siginfo_t *info, void *context)
{
    char here;
    stack_t stack;
    sigset_t seen;
    sigaltstack(NULL, &stack);
    pthread_sigmask(SIG_BLOCK, NULL, &seen);
    printf("handler %d code %d on other stack %d, blocked %d%d, touches %d\n", number, info->si_code, (stack.ss_flags & SS_ONSTACK) != 0,
           sigismember(&seen, SIGSEGV), sigismember(&seen, SIGUSR1), is_right(s_map, 44 * MIB));
    (void)context, (void)here;
    siglongjmp(s_back, 1);
}

static void fault(void *unused)
{
    (void)unused;
    *(volatile char *)16 = 1;
}

static void with_flags(void *flags)
{
    struct sigaction action = {.sa_sigaction = in_handler, .sa_flags = (int)(long)flags}, seen;
    sigaddset(&action.sa_mask, SIGUSR1);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    s_map = map_file("big", PROT_READ);
    CHECK(is_right(s_map, MIB));
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGSEGV, NULL, &seen) == 0);
    printf("%d%d%d ", seen.sa_sigaction == in_handler, (seen.sa_flags & 0x7bffffff) == action.sa_flags, sigismember(&seen.sa_mask, SIGUSR1));
    CHECK(is_right(s_map, 2 * MIB));
    if (sigsetjmp(s_back, 1) == 0)
        fault(NULL);
    CHECK(sigaction(SIGSEGV, NULL, &seen) == 0);
    printf("then %s, touches %d", seen.sa_handler == SIG_DFL ? "default" : "the same", is_right(s_map, 3 * MIB));
    if (sigsetjmp(s_back, 1) == 0)
        raise(SIGSEGV);
    printf(" and %d\n", is_right(s_map, 4 * MIB));
}

static void dies(void *how)
{
    s_map = map_file("big", PROT_READ);
    CHECK(is_right(s_map, MIB));
    if ((long)how == 1)
        signal(SIGSEGV, SIG_IGN), CHECK(raise(SIGSEGV) == 0 && is_right(s_map, 2 * MIB));
    if ((long)how == 2 || (long)how == 3) {
        sigset_t set;
        sigemptyset(&set), sigaddset(&set, SIGSEGV);
        if ((long)how == 3)
            catch_faults();
        sigprocmask(SIG_BLOCK, &set, NULL);
        CHECK(is_right(s_map, 3 * MIB));
    }
    fflush(stdout);
    if ((long)how == 4)
        raise(SIGSEGV);
    fault(NULL);
}

static void twice(int number)
{
    (void)number;
    CHECK(is_right(s_map, 7 * MIB));
    fault(NULL);
}

static void dies_twice(void *unused)
{
    signal(SIGSEGV, twice);
    dies(unused);
}

static void *volatile s_fixed;

static void mend(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    char *page = (char *)((uintptr_t)info->si_addr & -4096L);
    if (mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0)
        _exit(9);
    s_fixed = page;
}

/* As collectors of garbage do: a store to a page that is protected is noted, allowed, and done again. */
static void barrier(void *unused)
{
    (void)unused;
    struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    s_map = map_file("big", PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &action, NULL);
    mprotect(s_map, 24 * MIB, PROT_READ);
    int noted = 0;
    for (long at = 8; at < 44 * MIB; at += MIB) {
        s_fixed = NULL;
        s_map[at] = 'b';
        noted += s_fixed == s_map + (at & -4096L) && is_right(s_map, at + 8);
    }
    printf("barrier: %d\n", noted);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    make("big");
    blocked_threads();
    static const int flags[] = {SA_SIGINFO, SA_SIGINFO | SA_ONSTACK, SA_SIGINFO | SA_NODEFER, SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    for (int i = 0; i < 4; i++)
        printf("%d\n", status_of(with_flags, (void *)(long)flags[i]));
    printf("reset %d\n", status_of(with_flags, (void *)(long)(SA_SIGINFO | SA_RESETHAND)));
    for (long how = 0; how < 5; how++)
        printf("dies %d\n", status_of(dies, (void *)how) & 0x7f);
    printf("dies in its handler %d\n", status_of(dies_twice, NULL) & 0x7f);
    printf("status %d\n", status_of(barrier, NULL));
    return 0;
}
