/* signals: masks, actions and handlers of a program whose calls are trapped with SIGSYS, which it may use as well. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "raw.h"

static volatile int s_count, s_inside_file, s_sigsys, s_sigsys_code;
static volatile long s_trapped;
static sigjmp_buf s_back;
static int s_fd;

static void count_one(int number) { (void)number, s_count++; }

/* A handler that uses files by raw calls, whatever it interrupts. */
static void use_file(int number)
{
    char byte;
    (void)number;
    s_count++;
    if (raw(SYS_pread64, s_fd, (long)&byte, 1, 0) == 1 && byte == 'h')
        s_inside_file++;
}

static void jump_away(int number) { (void)number, siglongjmp(s_back, 1); }

static void on_sigsys(int number, siginfo_t *info, void *context)
{
    (void)number;
    s_sigsys++;
    s_sigsys_code = info->si_code;
    s_trapped = info->si_syscall;
    if (info->si_code > 0)
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EXDEV;
}

static void take(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigfillset(&action.sa_mask); /* SIGSYS too, as many do: its handler uses files all the same */
    CHECK(sigaction(number, &action, NULL) == 0);
    struct sigaction now;
    CHECK(sigaction(number, NULL, &now) == 0 && now.sa_handler == handler && sigismember(&now.sa_mask, SIGSYS));
}

static void masks(void)
{
    sigset_t all, before, now;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(raw(SYS_getppid) == getppid()); /* with all signals blocked */
    CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGSYS) && sigismember(&now, SIGUSR1));
    uint64_t mask = 0;
    CHECK(raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, 8) == 0 && (mask >> (SIGSYS - 1) & 1) && (mask >> (SIGUSR1 - 1) & 1));
    mask = ~0UL;
    CHECK(raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, 8) == 0);
    CHECK(raw(SYS_rt_sigprocmask, 77, (long)&mask, 0, 8) == -EINVAL);
    CHECK(raw(SYS_rt_sigprocmask, SIG_BLOCK, 1, 0, 8) == -EFAULT);
    CHECK(raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 4) == -EINVAL);
    CHECK(raise(SIGUSR1) == 0 && s_count == 0);
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0 && s_count == 1);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && !sigismember(&now, SIGSYS));
}

/* A signal comes 50 ms later, and a byte 50 ms after that. */
static int s_pipe[2];

static pid_t send_later(int number)
{
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 100; i++) { /* until it is in its call */
            char path[64], state[256] = "";
            snprintf(path, sizeof path, "/proc/%d/syscall", parent);
            int fd = open(path, O_RDONLY);
            usleep(10000);
            if (fd >= 0 && read(fd, state, sizeof state - 1) > 0 && state[0] != 'r')
                break;
            close(fd);
        }
        kill(parent, number);
        usleep(50000);
        _exit(write(s_pipe[1], "b", 1) != 1);
    }
    return child;
}

static void blocked_calls(void)
{
    char byte;
    int status;
    take(SIGUSR2, count_one, 0);
    s_count = 0;
    pid_t child = send_later(SIGUSR2);
    long got = raw(SYS_read, s_pipe[0], (long)&byte, 1);
    CHECK(got == -EINTR && s_count == 1);
    CHECK(raw(SYS_read, s_pipe[0], (long)&byte, 1) == 1 && waitpid(child, &status, 0) == child && status == 0);

    take(SIGUSR2, count_one, SA_RESTART);
    s_count = 0;
    child = send_later(SIGUSR2);
    CHECK(raw(SYS_read, s_pipe[0], (long)&byte, 1) == 1 && s_count == 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);

    take(SIGUSR2, jump_away, 0);
    child = send_later(SIGUSR2);
    if (sigsetjmp(s_back, 1) == 0) {
        raw(SYS_read, s_pipe[0], (long)&byte, 1);
        CHECK(!"the handler jumps away");
    }
    CHECK(raw(SYS_read, s_pipe[0], (long)&byte, 1) == 1 && waitpid(child, &status, 0) == child && status == 0);
}

/* Calls that wait with another mask, one with SIGSYS in it. */
static void waiting_masks(void)
{
    sigset_t most;
    struct timespec soon = {0, 1000};
    struct pollfd waited = {s_pipe[0], POLLIN, 0};
    struct epoll_event event = {.events = EPOLLIN};
    int poller = epoll_create1(0), status;
    const long pair[2] = {(long)&most, 8};
    fd_set set;
    sigfillset(&most);
    sigdelset(&most, SIGUSR2);
    take(SIGUSR2, use_file, 0);
    FD_ZERO(&set);
    FD_SET(s_pipe[0], &set);
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, s_pipe[0], &event) == 0);
    CHECK(raw(SYS_ppoll, (long)&waited, 1, (long)&soon, (long)&most, 8) == 0);
    CHECK(raw(SYS_epoll_pwait, poller, (long)&event, 1, 1, (long)&most, 8) == 0);
    CHECK(raw(SYS_pselect6, s_pipe[0] + 1, (long)&set, 0, 0, (long)&soon, (long)pair) == 0);
    CHECK(ppoll(&waited, 1, &soon, &most) == 0 && epoll_pwait(poller, &event, 1, 1, &most) == 0);
    s_count = s_inside_file = 0;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0 && raise(SIGUSR2) == 0 && s_count == 0);
    CHECK(raw(SYS_ppoll, (long)&waited, 1, 0, (long)&most, 8) == -EINTR && s_count == 1);
    CHECK(raise(SIGUSR2) == 0 && raw(SYS_rt_sigsuspend, (long)&most, 8) == -EINTR && s_count == 2);
    CHECK(raise(SIGUSR2) == 0 && sigsuspend(&most) == -1 && s_count == 3 && s_inside_file == 3);
    CHECK(sigprocmask(SIG_UNBLOCK, &blocked, NULL) == 0);
    close(poller);
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
}

/* Wherever a signal interrupts a trapped call, its handler can make others. */
static void everywhere(void)
{
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    static char signal_stack[65536];
    stack_t other = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    CHECK(raw(SYS_sigaltstack, (long)&other, 0) == 0);
    for (int on_other = 0; on_other < 2; on_other++) {
        take(SIGALRM, use_file, SA_RESTART | (on_other != 0 ? SA_ONSTACK : 0));
        s_count = s_inside_file = 0;
        CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
        for (long i = 0; i < 20000 || s_count < 50; i++) {
            CHECK(raw(SYS_lseek, s_fd, i % 100, SEEK_SET) == i % 100);
            CHECK(raw(SYS_pwrite64, s_fd, (long)"more", 4, 100 + i % 5000) == 4);
            CHECK(raw(SYS_getppid) == getppid());
        }
        CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0 && s_inside_file == s_count);
    }
    stack_t shown;
    CHECK(raw(SYS_sigaltstack, 0, (long)&shown) == 0 && shown.ss_sp == signal_stack);
}

/* The program's own use of SIGSYS: sent, and by a seccomp filter. */
static void own_sigsys(void)
{
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO}, before;
    CHECK(sigaction(SIGSYS, &action, &before) == 0 && before.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGSYS, NULL, &before) == 0 && before.sa_sigaction == on_sigsys);
    CHECK(raw(SYS_kill, getpid(), SIGSYS) == 0 && s_sigsys == 1 && s_sigsys_code == SI_USER);
    CHECK(raw(SYS_getppid) == getppid() && s_sigsys == 1);

    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    CHECK(raw(SYS_getpriority, 0, 0) == -EXDEV && s_sigsys == 2 && s_trapped == SYS_getpriority);
    CHECK(syscall(SYS_getpriority, 0, 0) == -1 && errno == EXDEV && s_sigsys == 3);
    CHECK(raw(SYS_pwrite64, s_fd, (long)"last", 4, 20) == 4);

    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        signal(SIGSYS, SIG_DFL);
        raw(SYS_getppid);
        raw(SYS_getpriority, 0, 0);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);

    /* A filter that traps the very call by which a handler's mask is set. */
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct sock_filter strict[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        program = (struct sock_fprog){sizeof strict / sizeof strict[0], strict};
        int before_it = s_sigsys;
        alarm(20);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(2);
        raw(SYS_exit_group, raw(SYS_getpriority, 0, 0) == -EXDEV && s_sigsys == before_it + 1 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);

    /* And one that lets nobody return from a handler: the kernel kills there. */
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        filter[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1);
        program = (struct sock_fprog){sizeof filter / sizeof filter[0], filter};
        alarm(20);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(2);
        raw(SYS_getpriority, 0, 0); /* trapped by the first filter */
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(void)
{
    s_fd = (int)raw(SYS_open, (long)"signals.file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(s_fd >= 0 && raw(SYS_write, s_fd, (long)"hello", 5) == 5 && pipe(s_pipe) == 0);
    take(SIGUSR1, count_one, 0);
    masks();
    blocked_calls();
    waiting_masks();
    everywhere();
    own_sigsys();
    puts("signals");
    return 0;
}
