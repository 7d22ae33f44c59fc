#include "engine_call.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>

#include "autostart.h"
#include "borrowed.h"
#include "calls.h"
#include "fdtable.h"
#include "gate.h"
#include "log.h"
#include "syscalls.h"

struct overlay_engine overlay_engine;
struct engine_settings overlay_settings;
__thread int overlay_in_engine __attribute__((tls_model("initial-exec")));
int overlay_own_pid;
int overlay_is_loading;

enum { NOT_LOADED, LOADED, FAILED };
static int s_load_state;
static int s_load_lock;  /* taken outside of the gate: a fork takes it first */
static int s_child_lock; /* taken behind the gate */
static int s_is_of_borrower;
static int s_is_fresh_child; /* the next engine call is the first of a forked child */
static __thread int t_is_prepared __attribute__((tls_model("initial-exec")));

static void set_signal_mask(uint64_t mask, uint64_t *before)
{
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)before, 8, 0, 0);
}

/* A thread that ends comes here from the runtime's destructor; it runs no handler of the program's any more. */
static void enter_for_thread_end(void)
{
    set_signal_mask(~0UL, NULL);
    gate_enter();
    overlay_in_engine++;
}

static void leave_for_thread_end(void)
{
    overlay_in_engine--;
    gate_leave();
}

static struct overlay_engine_threads s_threads = {.enter_for_end = enter_for_thread_end, .leave_for_end = leave_for_thread_end};

static void call_plain(void *function)
{
    (*(void (**)(void))function)();
}

void engine_hold_load(void)
{
    lock_take(&s_load_lock);
}

void engine_release_load(void)
{
    lock_give(&s_load_lock);
}

void engine_in_child(void)
{
    gate_reset();
    s_child_lock = s_load_lock = 0;
    s_is_fresh_child = s_load_state == LOADED;
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
    if (s_is_fresh_child) {
        overlay_in_engine++;
        overlay_with_vector_state_saved(call_plain, &s_threads.forget);
        overlay_in_engine--;
    }
}

bool engine_is_loaded(void)
{
    return __atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE) == LOADED;
}

bool engine_is_ready(void)
{
    return engine_is_loaded() && t_is_prepared != 0;
}

void engine_serve_borrower(void)
{
    s_is_of_borrower = 1;
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
 * The engine keeps its descriptors at HIGH_DESCRIPTOR and above. The kernel's table is grown to that now: with the runtime's
 * threads sharing it, growing waits some milliseconds for every processor.
 */
static void grow_descriptor_table(void)
{
    long fd = sys_openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    long high = fd < 0 ? fd : sys_fcntl((int)fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
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
            .threads = &s_threads,
        };
        long error = overlay_engine.start(&start);
        if (error >= 0)
            state = LOADED;
        else
            log_error(overlay_settings.engine_path, "the engine did not start", error);
    }
    each_disposition(dispositions, true);
    overlay_is_loading = 0;
    return state;
}

/* Sets *error to 0, or to why there is no engine: ELIBACC for good, another errno for now. */
static void load_once(void *error)
{
    long result = 0;
    lock_take(&s_load_lock);
    if (s_load_state == NOT_LOADED && (result = check_descriptors()) == 0)
        __atomic_store_n(&s_load_state, load(), __ATOMIC_RELEASE);
    if (s_load_state == FAILED)
        result = -ELIBACC;
    lock_give(&s_load_lock);
    *(long *)error = result;
}

/* What needs libc's allocator comes before the gate: a fork that has its locks waits there for the calls under way. */
static long prepare_thread(void)
{
    long error = 0;
    overlay_in_engine++;
    if (!engine_is_loaded())
        overlay_with_vector_state_saved(load_once, &error);
    if (error == 0) {
        overlay_with_vector_state_saved(call_plain, &s_threads.prepare);
        t_is_prepared = 1;
    }
    overlay_in_engine--;
    return error;
}

/* The first call of a new thread: later it might come here from a handler that has interrupted the allocator. */
int on_set_robust_list(struct overlay_call *call)
{
    (void)call;
    if (t_is_prepared == 0 && engine_is_loaded() && !is_borrowed_memory()) {
        uint64_t before;
        set_signal_mask(~0UL, &before);
        prepare_thread();
        set_signal_mask(before, NULL);
    }
    return PASS;
}

/* By the first thread of the child that comes; the others wait, since they would use the parent's connection and locks. */
static void greet_child(void)
{
    lock_take(&s_child_lock);
    if (s_is_fresh_child != 0) {
        overlay_engine.after_fork(s_is_of_borrower);
        __atomic_store_n(&s_is_fresh_child, 0, __ATOMIC_RELEASE);
    }
    lock_give(&s_child_lock);
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
    if (__atomic_load_n(&s_is_fresh_child, __ATOMIC_ACQUIRE) != 0)
        greet_child();
    long (*entry)(long, long, long, long, long, long, long) = *(long (**)(long, long, long, long, long, long, long))
                                                                   invocation->entry;
    invocation->result = entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

long engine_invoke(void *const *entry, const long arguments[7])
{
    if (__atomic_load_n(&overlay_may_be_borrowed, __ATOMIC_RELAXED) != 0 && is_borrowed_memory())
        return borrowed_invoke(entry, arguments);
    /* A handler may call write or siglongjmp away: none runs while managed code does. */
    uint64_t before;
    struct invocation invocation = {entry, arguments, 0};
    set_signal_mask(~0UL, &before);
    if (t_is_prepared != 0 || (invocation.result = prepare_thread()) == 0) {
        gate_enter();
        overlay_in_engine++;
        overlay_with_vector_state_saved(run, &invocation);
        overlay_in_engine--;
        gate_leave();
    }
    set_signal_mask(before, NULL);
    return invocation.result;
}
