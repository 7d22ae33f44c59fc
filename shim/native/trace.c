#include "trace.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "engine_call.h"
#include "fdtable.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

const char *overlay_trace_socket;
static int s_socket = -1;

/* What stands in the line's third and fourth fields. */
enum argument { A_FD, A_PATH, A_AT, A_OTHER };
static const struct {
    char name[16]; /* no pointers: the loader would write each at every program's start */
    uint8_t kind, size_index; /* size_index: the argument that is a length in bytes, 9 = none */
} s_calls[] = {
#define NAMED(name, kind, size) [SYS_##name] = {#name, kind, size}
    NAMED(open, A_PATH, 9), NAMED(openat, A_AT, 9), NAMED(openat2, A_AT, 9), NAMED(creat, A_PATH, 9),
    NAMED(close, A_FD, 9), NAMED(close_range, A_OTHER, 9), NAMED(dup, A_FD, 9), NAMED(dup2, A_FD, 9),
    NAMED(dup3, A_FD, 9), NAMED(fcntl, A_FD, 9), NAMED(read, A_FD, 2), NAMED(write, A_FD, 2),
    NAMED(pread64, A_FD, 2), NAMED(pwrite64, A_FD, 2), NAMED(readv, A_FD, 9), NAMED(writev, A_FD, 9),
    NAMED(preadv, A_FD, 9), NAMED(pwritev, A_FD, 9), NAMED(preadv2, A_FD, 9), NAMED(pwritev2, A_FD, 9),
    NAMED(sendfile, A_FD, 3), NAMED(copy_file_range, A_FD, 4), NAMED(splice, A_FD, 4), NAMED(lseek, A_FD, 9),
    NAMED(truncate, A_PATH, 1), NAMED(ftruncate, A_FD, 1), NAMED(fallocate, A_FD, 3), NAMED(fsync, A_FD, 9),
    NAMED(fdatasync, A_FD, 9), NAMED(sync_file_range, A_FD, 9), NAMED(ioctl, A_FD, 9), NAMED(mmap, A_OTHER, 1),
    NAMED(stat, A_PATH, 9), NAMED(lstat, A_PATH, 9), NAMED(fstat, A_FD, 9), NAMED(newfstatat, A_AT, 9),
    NAMED(statx, A_AT, 9), NAMED(chmod, A_PATH, 9), NAMED(fchmod, A_FD, 9), NAMED(fchmodat, A_AT, 9),
    NAMED(rename, A_PATH, 9), NAMED(renameat, A_AT, 9), NAMED(renameat2, A_AT, 9), NAMED(link, A_PATH, 9),
    NAMED(linkat, A_AT, 9), NAMED(getdents, A_FD, 2), NAMED(getdents64, A_FD, 2), NAMED(chdir, A_PATH, 9),
    NAMED(fchdir, A_FD, 9), NAMED(chroot, A_PATH, 9), NAMED(execve, A_PATH, 9), NAMED(execveat, A_AT, 9),
    NAMED(access, A_PATH, 9), NAMED(faccessat, A_AT, 9), NAMED(faccessat2, A_AT, 9), NAMED(mkdir, A_PATH, 9),
    NAMED(mkdirat, A_AT, 9), NAMED(rmdir, A_PATH, 9), NAMED(unlink, A_PATH, 9), NAMED(unlinkat, A_AT, 9),
    NAMED(mknod, A_PATH, 9), NAMED(mknodat, A_AT, 9), NAMED(readlink, A_PATH, 9), NAMED(readlinkat, A_AT, 9),
    NAMED(utimensat, A_AT, 9),
#undef NAMED
};
#define CALL_COUNT ((long)(sizeof s_calls / sizeof s_calls[0]))

static uint64_t now(void)
{
    struct timespec time;
    overlay_raw_syscall6(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Connected once, out of the way of the program's numbers; a forked child shares it, datagrams do not mix. */
static int trace_socket(void)
{
    if (s_socket >= 0)
        return s_socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = text_length(overlay_trace_socket);
    if (length >= sizeof address.sun_path)
        return -1;
    text_copy(address.sun_path, overlay_trace_socket, length + 1);
    long fd = overlay_raw_syscall6(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
    if (fd < 0)
        return -1;
    long high = sys_fcntl((int)fd, F_DUPFD_CLOEXEC, 700);
    sys_close((int)fd);
    if (high < 0 || overlay_raw_syscall6(SYS_connect, high, (long)&address, sizeof address, 0, 0, 0) < 0)
        return -1;
    fd_reserve((int)high, 1);
    return s_socket = (int)high;
}

struct line {
    char text[1024];
    size_t length;
};

static void put_text(struct line *line, const char *text)
{
    for (; *text != 0 && line->length < sizeof line->text - 120; text++)
        line->text[line->length++] = (unsigned char)*text < ' ' ? '?' : *text;
}

static void put_number(struct line *line, long value)
{
    if (value < 0)
        line->text[line->length++] = '-';
    line->length += text_decimal(line->text + line->length, value < 0 ? 0UL - (unsigned long)value : (unsigned long)value);
}

static void put_tab(struct line *line) { line->text[line->length++] = '\t'; }

static void put_subject(struct line *line, const struct overlay_call *call, int kind)
{
    long path = kind == A_PATH ? call->args[0] : kind == A_AT ? call->args[1] : 0;
    if (can_read_path((const char *)path) && *(const char *)path != 0)
        put_text(line, (const char *)path);
    else if (kind == A_OTHER)
        put_text(line, "-");
    else
        put_number(line, (int)call->args[0]);
}

static bool concerns_sealed(const struct overlay_call *call, int kind, enum fd_state before)
{
    if (kind == A_PATH || kind == A_AT) {
        long path = call->args[kind == A_AT];
        return can_read_path((const char *)path) &&
               volumes_locate(kind == A_AT ? (int)call->args[0] : AT_FDCWD, (const char *)path) != NULL;
    }
    return before == FD_SEALED || fd_state_of((int)call->args[0]) == FD_SEALED;
}

static void report(const struct overlay_call *call, long result, uint64_t nanoseconds, enum fd_state before)
{
    long number = call->number;
    if (number >= CALL_COUNT || s_calls[number].name[0] == 0)
        return;
    int kind = s_calls[number].kind;
    struct line line = {.length = 0};
    put_number(&line, overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0));
    put_tab(&line);
    put_number(&line, overlay_raw_syscall6(SYS_gettid, 0, 0, 0, 0, 0, 0));
    put_tab(&line);
    put_text(&line, s_calls[number].name);
    put_tab(&line);
    put_subject(&line, call, kind);
    put_tab(&line);
    put_number(&line, s_calls[number].size_index < 6 ? call->args[s_calls[number].size_index] : 0);
    put_tab(&line);
    put_number(&line, result);
    put_tab(&line);
    put_number(&line, (long)nanoseconds);
    put_tab(&line);
    put_number(&line, concerns_sealed(call, kind, before));
    int fd = trace_socket();
    if (fd >= 0)
        overlay_raw_syscall6(SYS_sendto, fd, (long)line.text, (long)line.length, MSG_NOSIGNAL, 0, 0);
}

int trace_call(struct overlay_call *call, call_handler handler)
{
    /* What does not come back, or comes back twice, is reported before. */
    if (call->number == SYS_execve || call->number == SYS_execveat || call->number == SYS_exit_group) {
        report(call, 0, 0, FD_UNKNOWN);
        return handler(call);
    }
    enum fd_state before = fd_state_of((int)call->args[0]);
    uint64_t start = now();
    if (handler(call) == PASS)
        call->result = overlay_raw_syscall6(call->number, call->args[0], call->args[1], call->args[2], call->args[3],
                                            call->args[4], call->args[5]);
    report(call, call->result, now() - start, before);
    return HANDLED;
}
