#include "engine_call.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>

#include "autostart.h"
#include "fdtable.h"
#include "log.h"
#include "syscalls.h"

struct overlay_engine overlay_engine;
struct engine_settings overlay_settings;
__thread int overlay_in_engine __attribute__((tls_model("initial-exec")));
int overlay_own_pid;
int overlay_is_loading;

enum { NOT_LOADED, LOADED, FAILED };
static int s_load_state;
static int s_load_lock;        /* 0 free, 1 held; held only by threads that hold the gate */
static int s_is_fresh_child;   /* the next engine call is the first of a forked child */
static void (*s_forget_threads)(void);

/* Gate word: the number of engine calls under way, plus GATE_CLOSED while a fork is under way. */
#define GATE_CLOSED 0x40000000
static int s_gate;

static void futex_wait(int *word, int value)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, 0, 0, 0);
}

static void futex_wake(int *word)
{
    overlay_raw_syscall6(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0, 0, 0);
}

static void gate_enter(void)
{
    for (;;) {
        int seen = __atomic_load_n(&s_gate, __ATOMIC_RELAXED);
        if ((seen & GATE_CLOSED) != 0)
            futex_wait(&s_gate, seen);
        else if (__atomic_compare_exchange_n(&s_gate, &seen, seen + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
    }
}

static void gate_leave(void)
{
    if (__atomic_sub_fetch(&s_gate, 1, __ATOMIC_RELEASE) == GATE_CLOSED)
        futex_wake(&s_gate);
}

void engine_gate_close(void)
{
    /* Two threads may fork at once: the second waits until the first has opened the gate again. */
    for (;;) {
        int seen = __atomic_load_n(&s_gate, __ATOMIC_RELAXED);
        if ((seen & GATE_CLOSED) != 0)
            futex_wait(&s_gate, seen);
        else if (__atomic_compare_exchange_n(&s_gate, &seen, seen | GATE_CLOSED, true, __ATOMIC_ACQUIRE,
                                             __ATOMIC_RELAXED))
            break;
    }
    for (int seen; (seen = __atomic_load_n(&s_gate, __ATOMIC_ACQUIRE)) != GATE_CLOSED;)
        futex_wait(&s_gate, seen);
}

void engine_gate_open_in_parent(void)
{
    __atomic_and_fetch(&s_gate, ~GATE_CLOSED, __ATOMIC_RELEASE);
    futex_wake(&s_gate);
}

static void forget_threads(void *unused)
{
    (void)unused;
    s_forget_threads();
}

/* A thread that ends comes here from the runtime's destructor; it runs no handler of the program's any more. */
static void enter_for_thread_end(void)
{
    const uint64_t all = ~0UL;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0, 0);
    gate_enter();
    overlay_in_engine++;
}

static void leave_for_thread_end(void)
{
    overlay_in_engine--;
    gate_leave();
}

void engine_gate_open_in_child(void)
{
    s_gate = 0;
    s_load_lock = 0;
    s_is_fresh_child = s_load_state == LOADED;
    if (s_is_fresh_child) {
        overlay_in_engine++;
        overlay_with_vector_state_saved(forget_threads, NULL);
        overlay_in_engine--;
    }
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

bool engine_is_loaded(void)
{
    return __atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE) == LOADED;
}

/* The runtime changes dispositions when it starts (design 5): keep what the program had. */
#define LIBC_CANCEL 32 /* libc installs these two by itself, on first use: giving back what was there would undo it */
#define LIBC_SETXID 33
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static void each_disposition(struct kernel_sigaction table[64], bool is_restoring)
{
    for (int number = 1; number < 64; number++)
        if (number != LIBC_CANCEL && number != LIBC_SETXID)
            overlay_raw_syscall6(SYS_rt_sigaction, number, is_restoring ? (long)&table[number] : 0,
                                 is_restoring ? 0 : (long)&table[number], 8, 0, 0);
}

static bool bind_exports(void *library)
{
#define OVERLAY_BIND(type, name, parameters)                                                                           \
    if ((*(void **)&overlay_engine.name = dlsym(library, "overlay_engine_" #name)) == NULL)                            \
        return false;
    OVERLAY_ENGINE_EXPORTS(OVERLAY_BIND)
#undef OVERLAY_BIND
    return true;
}

/*
 * The engine keeps its descriptors at 768 and above (Descriptors.cs). The kernel's table is grown to that now: with the runtime's
 * threads sharing it, growing waits some milliseconds for every processor.
 */
static void grow_descriptor_table(void)
{
    long fd = sys_openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    long high = fd < 0 ? fd : sys_fcntl((int)fd, F_DUPFD_CLOEXEC, 768);
    if (fd >= 0)
        sys_close((int)fd);
    if (high >= 0)
        sys_close((int)high);
}

/* The loader and the runtime cannot do without a few descriptors; without them they would fail for good. */
#define LOADING_DESCRIPTORS 4
static long check_descriptors(void)
{
    long taken[LOADING_DESCRIPTORS];
    int count = 0;
    while (count < LOADING_DESCRIPTORS && (taken[count] = sys_openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0)) >= 0)
        count++;
    long error = count < LOADING_DESCRIPTORS ? taken[count] : 0;
    while (count > 0)
        sys_close((int)taken[--count]);
    return error;
}

static int load(void)
{
    grow_descriptor_table();
    overlay_is_loading = 1;
    struct kernel_sigaction dispositions[64];
    each_disposition(dispositions, false);
    int state = FAILED;
    void *library = dlopen(overlay_settings.engine_path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == NULL) {
        log_line(overlay_settings.engine_path, dlerror());
    } else if (!bind_exports(library)) {
        log_line(overlay_settings.engine_path, "this engine is of another version than liboverlay-shim.so");
    } else {
        overlay_engine.nop(); /* the runtime starts inside its first call, which must be a trivial one */
        struct overlay_engine_start start = {
            .volumes = overlay_settings.volumes,
            .agent = overlay_settings.agent,
            .key_file = overlay_settings.key_file,
            .library_path = overlay_settings.engine_path,
            .start_agent = autostart_agent,
            .reserve_descriptor = fd_reserve,
            .enter_for_thread_end = enter_for_thread_end,
            .leave_for_thread_end = leave_for_thread_end,
        };
        long error = overlay_engine.start(&start);
        s_forget_threads = start.forget_threads;
        if (error >= 0)
            state = LOADED;
        else
            log_error(overlay_settings.engine_path, "the engine did not start", error);
    }
    each_disposition(dispositions, true);
    overlay_is_loading = 0;
    return state;
}

/* 0, or why there is no engine: ELIBACC for good, another errno for now. */
static long ensure_loaded(void)
{
    int state = __atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE);
    if (state != NOT_LOADED)
        return state == LOADED ? 0 : -ELIBACC;
    long error = 0;
    while (__atomic_exchange_n(&s_load_lock, 1, __ATOMIC_ACQUIRE) != 0)
        futex_wait(&s_load_lock, 1);
    if (s_load_state == NOT_LOADED && (error = check_descriptors()) == 0)
        __atomic_store_n(&s_load_state, load(), __ATOMIC_RELEASE);
    if (s_load_state == FAILED)
        error = -ELIBACC;
    __atomic_store_n(&s_load_lock, 0, __ATOMIC_RELEASE);
    futex_wake(&s_load_lock);
    return error;
}

/* By the first thread of the child that comes; the others wait, since they would use the parent's connection and locks. */
static void greet_child(void)
{
    while (__atomic_exchange_n(&s_load_lock, 1, __ATOMIC_ACQUIRE) != 0)
        futex_wait(&s_load_lock, 1);
    if (s_is_fresh_child != 0) {
        overlay_engine.after_fork();
        __atomic_store_n(&s_is_fresh_child, 0, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&s_load_lock, 0, __ATOMIC_RELEASE);
    futex_wake(&s_load_lock);
}

struct invocation {
    void *const *entry;
    const long *arguments;
    long result;
};

static void run(void *argument)
{
    struct invocation *invocation = argument;
    const long *a = invocation->arguments;
    long error = ensure_loaded();
    if (error < 0) {
        invocation->result = error;
        return;
    }
    if (__atomic_load_n(&s_is_fresh_child, __ATOMIC_ACQUIRE) != 0)
        greet_child();
    long (*entry)(long, long, long, long, long, long, long) = *(long (**)(long, long, long, long, long, long, long))
                                                                   invocation->entry;
    invocation->result = entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

long engine_invoke(void *const *entry, const long arguments[7])
{
    /* A handler may call write or siglongjmp away: none runs while managed code does. */
    const uint64_t blocked = ~0ULL;
    uint64_t before;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&before, 8, 0, 0);
    gate_enter();
    overlay_in_engine++;
    struct invocation invocation = {entry, arguments, 0};
    overlay_with_vector_state_saved(run, &invocation);
    overlay_in_engine--;
    gate_leave();
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
    return invocation.result;
}
