#include "autostart.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "engine_call.h"
#include "syscalls.h"

#define READY_FD 3

/* The grandchild: a clean table of descriptors, default signals, a session of its own. */
static void become_agent(int ready, const char *overlay_ctl, const char *volumes, const char *key_file)
{
    overlay_raw_syscall6(SYS_setsid, 0, 0, 0, 0, 0, 0);
    long null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0)
        return;
    if (ready == null)
        return;
    overlay_raw_syscall6(SYS_dup2, ready, READY_FD + 100, 0, 0, 0, 0);
    for (int fd = 0; fd < 3; fd++)
        overlay_raw_syscall6(SYS_dup2, null, fd, 0, 0, 0, 0);
    overlay_raw_syscall6(SYS_dup2, READY_FD + 100, READY_FD, 0, 0, 0, 0);
    overlay_raw_syscall6(SYS_close_range, READY_FD + 1, ~0U, 0, 0, 0, 0);
    const char *const arguments[] = {"overlay-ctl", "agent",    "--autostart", "--ready-fd", "3",
                                     "--volumes",   volumes,    "--key-file",  key_file,     NULL};
    const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", overlay_settings.runtime_entry, NULL};
    overlay_raw_syscall6(SYS_execve, (long)overlay_ctl, (long)arguments, (long)environment, 0, 0, 0);
}

long autostart_agent(const char *overlay_ctl, const char *volumes, const char *key_file)
{
    if (key_file == NULL)
        return -ENOTCONN;
    int ready[2];
    long error = overlay_raw_syscall6(SYS_pipe2, (long)ready, O_CLOEXEC, 0, 0, 0, 0);
    if (error < 0)
        return error;
    /* Exit signal 0: the program's wait() and SIGCHLD handler see neither child. Signals are blocked by our caller. */
    long child = overlay_raw_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        const uint64_t none = 0;
        if (overlay_raw_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0) == 0) {
            overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8, 0, 0);
            become_agent(ready[1], overlay_ctl, volumes, key_file);
        }
        overlay_raw_syscall6(SYS_exit_group, 127, 0, 0, 0, 0, 0);
    }
    sys_close(ready[1]);
    if (child > 0) {
        overlay_raw_syscall6(SYS_wait4, child, 0, __WALL, 0, 0, 0);
        /* One byte when the agent serves; end of file when it could not. */
        char byte;
        error = overlay_raw_syscall6(SYS_read, ready[0], (long)&byte, 1, 0, 0, 0);
        error = error == 1 ? 0 : -ENOTCONN;
    } else {
        error = child;
    }
    sys_close(ready[0]);
    return error;
}
