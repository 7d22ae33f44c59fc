/*
 * inject PREFIX COUNT-FILE N FAULT COMMAND...: runs a command and lets its N-th system call on a file under PREFIX go wrong.
 * FAULT: an errno's number; "short" (half of what was asked is read or written, as a full disk or a signal does it); or
 * "from:NUMBER" (this call and all after it fail). N = 0: none fails. COUNT-FILE gets the number of such calls; exits as COMMAND.
 * Calls: pread64, pwrite64, ftruncate, fallocate, fsync, fdatasync, fchmod, of every process and thread that the command starts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4096

static const char *s_prefix;
static long s_wanted, s_seen, s_errno;
static bool s_is_short, s_is_persistent;

/* What is to be done when the call that a thread is in returns. */
static struct thread {
    pid_t id;
    bool is_failing, is_shortened;
    unsigned long long length;
} s_threads[THREADS];

static struct thread *find(pid_t id)
{
    for (int i = 0; i < THREADS; i++) {
        if (s_threads[i].id == 0)
            s_threads[i].id = id;
        if (s_threads[i].id == id)
            return &s_threads[i];
    }
    fprintf(stderr, "inject: too many threads\n");
    exit(125);
}

static const int s_calls[] = {SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_fchmod};
#define CALLS ((int)(sizeof s_calls / sizeof s_calls[0]))

/* Only these calls stop: stopping at each makes programs a hundred times slower. */
static void filter_calls(void)
{
    struct sock_filter program[CALLS + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    for (int i = 0; i < CALLS; i++)
        program[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s_calls[i], CALLS - i, 0);
    program[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog filter = {CALLS + 3, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        perror("inject: seccomp");
        _exit(125);
    }
}

static bool is_backing_call(pid_t id, const struct user_regs_struct *registers)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", id, (int)registers->rdi);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return false;
    path[length] = 0;
    return strncmp(path, s_prefix, strlen(s_prefix)) == 0 && strstr(path, "/.overlay/") == NULL;
}

/* True: something is to be done when it returns. */
static bool enter(pid_t id, struct thread *thread, struct user_regs_struct *registers)
{
    if (!is_backing_call(id, registers))
        return false;
    s_seen++;
    if (s_wanted == 0 || s_seen < s_wanted || (s_seen > s_wanted && !s_is_persistent))
        return false;
    bool moves_bytes = registers->orig_rax == SYS_pread64 || registers->orig_rax == SYS_pwrite64;
    if (s_is_short && (!moves_bytes || registers->rdx < 2))
        return false;
    if (s_is_short) {
        thread->length = registers->rdx;
        thread->is_shortened = true;
        registers->rdx /= 2;
    } else {
        thread->is_failing = true;
        registers->orig_rax = (unsigned long long)-1;
    }
    ptrace(PTRACE_SETREGS, id, 0, registers);
    return true;
}

static void leave(pid_t id, struct thread *thread, struct user_regs_struct *registers)
{
    if (thread->is_failing)
        registers->rax = (unsigned long long)-s_errno;
    if (thread->is_shortened)
        registers->rdx = thread->length;
    thread->is_failing = thread->is_shortened = false;
    ptrace(PTRACE_SETREGS, id, 0, registers);
}

static int follow(pid_t command)
{
    int status, result = 125;
    for (pid_t id; (id = waitpid(-1, &status, __WALL)) > 0;) {
        struct thread *thread = find(id);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            thread->id = -1;
            if (id == command)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        struct user_regs_struct registers;
        bool is_due = false;
        if (event == PTRACE_EVENT_SECCOMP) {
            ptrace(PTRACE_GETREGS, id, 0, &registers);
            is_due = enter(id, thread, &registers);
        } else if (signal == (SIGTRAP | 0x80)) {
            ptrace(PTRACE_GETREGS, id, 0, &registers);
            leave(id, thread, &registers);
        }
        bool is_ours = event != 0 || signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP;
        ptrace(is_due ? PTRACE_SYSCALL : PTRACE_CONT, id, 0, is_ours ? 0 : signal);
    }
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: inject PREFIX COUNT-FILE N FAULT COMMAND...\n");
        return 125;
    }
    s_prefix = argv[1];
    s_wanted = atol(argv[3]);
    s_is_short = strcmp(argv[4], "short") == 0;
    s_is_persistent = strncmp(argv[4], "from:", 5) == 0;
    s_errno = atol(argv[4] + (s_is_persistent ? 5 : 0));
    pid_t command = fork();
    if (command == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        filter_calls();
        execvp(argv[5], argv + 5);
        perror(argv[5]);
        _exit(127);
    }
    int status;
    if (command < 0 || waitpid(command, &status, 0) != command || !WIFSTOPPED(status)) {
        fprintf(stderr, "inject: cannot trace\n");
        return 125;
    }
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                         PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
    ptrace(PTRACE_SETOPTIONS, command, 0, options);
    ptrace(PTRACE_CONT, command, 0, 0);
    int result = follow(command);
    FILE *count = fopen(argv[2], "w");
    if (count == NULL || fprintf(count, "%ld\n", s_seen) < 0 || fclose(count) != 0)
        return 125;
    return result;
}
