/*
 * Loading the engine, on first need. The order of locks is: the loader's own (glibc's dl_load_lock), ours, the fork gate; a fork takes
 * ours before libc takes its allocator's. A thread
 * inside of dlopen holds the first and may need the engine, since libraries lie in volumes, too; another that held ours
 * while it waited for the loader's would stop both for good. But nothing public takes the loader's lock alone. So the loader is
 * asked for a library that does not exist, and what is to be done is done when it opens that, inside of the filter.
 */
#include "engine_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>

#include "autostart.h"
#include "cached_read.h"
#include "calls.h"
#include "counters.h"
#include "engine_call.h"
#include "engine_pages.h"
#include "fdtable.h"
#include "fork.h"
#include "gate.h"
#include "helper.h"
#include "kept.h"
#include "last_thread.h"
#include "limits.h"
#include "lazy.h"
#include "log.h"
#include "mapping.h"
#include "own_stack.h"
#include "recent.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

#define NO_LIBRARY "/dev/null/overlay"

struct overlay_engine overlay_engine;
struct engine_settings overlay_settings;

enum { NOT_LOADED, LOADED, FAILED };
static int s_load_state;
static int s_load_lock; /* only the loader's lock may be held when it is taken */
static __thread int t_wants_engine __attribute__((tls_model("initial-exec")));
static __thread long t_error __attribute__((tls_model("initial-exec"))); /* why this thread could not try to load it */

bool engine_is_loaded(void)
{
    return __atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE) == LOADED;
}

void engine_hold_load(void)
{
    lock_take(&s_load_lock);
}

void engine_release_load(void)
{
    lock_give(&s_load_lock);
}

#define LIBC_CANCEL 32 /* libc installs these two by itself, on first use: giving back what was there would undo it */
#define LIBC_SETXID 33

/* Another thread may be waiting for this one to change its user: with a lock that loading takes (on_setxid), or for ever. libc's handler needs nothing. */
static void hear_of_setxid(int how)
{
    uint64_t mask = SIGNAL_BIT(LIBC_SETXID);
    overlay_raw_syscall6(SYS_rt_sigprocmask, how, (long)&mask, 0, sizeof mask, 0, 0);
}

/* A thread that ends comes here from the runtime's destructor; it runs no handler of the program's any more. */
static void enter_for_thread_end(void)
{
    const uint64_t all = overlay_all_signals;
    overlay_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0, 0);
    gate_enter();
    overlay_in_engine++;
}

static void leave_for_thread_end(void)
{
    overlay_in_engine--;
    engine_forget_thread();
    own_stack_give_back();
    gate_leave();
    hear_of_setxid(SIG_UNBLOCK);
}

static struct overlay_engine_threads s_threads = {.is_last = last_thread_is_this, .enter_for_end = enter_for_thread_end, .leave_for_end = leave_for_thread_end};

static void call_plain(void *function)
{
    (*(void (**)(void))function)();
}

static void call_in_engine(void (**function)(void))
{
    overlay_in_engine++;
    overlay_with_vector_state_saved(call_plain, function);
    overlay_in_engine--;
}

void engine_prepare_thread(void)
{
    call_in_engine(&s_threads.prepare);
}

void engine_load_in_child(void)
{
    s_load_lock = 0;
    if (engine_is_loaded())
        call_in_engine(&s_threads.forget);
}

/* The runtime changes dispositions when it starts (design 5): keep what the program had. */
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
    struct kernel_sigaction dispositions[64];
    each_disposition(dispositions, false);
    int state = FAILED;
    void *library = dlopen(overlay_settings.engine_path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == NULL) {
        log_line(overlay_settings.engine_path, dlerror());
    } else if (!bind_exports(library)) {
        log_line(overlay_settings.engine_path, "this engine is of another version than liboverlay-shim.so");
    } else {
        engine_pages_take(library);
        overlay_engine.nop(); /* the runtime starts inside its first call, which must be a trivial one */
        struct overlay_engine_start start = {
            .volumes = overlay_settings.volumes,
            .agent = overlay_settings.agent,
            .key_file = overlay_settings.key_file,
            .library_path = overlay_settings.engine_path,
            .start_agent = autostart_agent,
            .reserve_descriptor = fd_reserve,
            .threads = &s_threads,
            .note_mappings = mappings_note,
            .fork_count = &overlay_fork_count,
            .has_locks = &overlay_has_locks,
            .limit_changes = &overlay_limit_changes,
            .recent = &overlay_recent,
            .note_lazy = lazy_note,
            .begin_lazy = lazy_begin,
            .has_filter = &overlay_has_filter,
            .memory_generation = &overlay_memory_generation,
            .cache_size = overlay_settings.cache_size,
            .cache = &overlay_cache,
            .cached_files = overlay_cached_files,
            .descriptor_limit = FD_LIMIT,
            .counters = &overlay_counters,
            .helper = &overlay_helper_calls,
        };
        start.kept_count = kept_adopted(&start.kept);
        long error = overlay_engine.start(&start);
        if (error >= 0)
            state = LOADED;
        else
            log_error(overlay_settings.engine_path, "the engine did not start", error);
    }
    each_disposition(dispositions, true);
    return state;
}

static void load_once(void *unused)
{
    (void)unused;
    t_error = 0;
    lock_take(&s_load_lock);
    if (s_load_state == NOT_LOADED && (t_error = check_descriptors()) == 0)
        __atomic_store_n(&s_load_state, load(), __ATOMIC_RELEASE);
    lock_give(&s_load_lock);
}

static void load_under_the_loaders_lock(void *unused)
{
    t_wants_engine = 1;
    if (dlopen(NO_LIBRARY, RTLD_LAZY | RTLD_LOCAL) == NULL)
        dlerror(); /* forgets it: the program may ask for its own */
    if (t_wants_engine != 0) { /* a loader that could not be patched opens no library of a volume either */
        t_wants_engine = 0;
        load_once(unused);
    }
}

/*
 * What the runtime looks up when it starts, or when it first hashes a text, and better does not find. /dev/urandom, for its hash
 * seeds, it keeps open on a low number that the program expects for its own next file; our nonces and keys come from getrandom.
 * Limits of control groups, NUMA nodes and cache sizes decide how large its heap may grow: it is given a limit of its own,
 * and reading them costs 0.4 ms.
 */
static bool is_for_the_runtime_to_miss(const char *path)
{
    static const char *const names[] = {"/dev/urandom", "/proc/self/mountinfo", "/proc/self/cgroup", "/sys/fs/cgroup",
                                        "/sys/devices/system/node"};
    if (is_bad_pointer((long)path))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_same(path, names[i]))
            return true;
    return text_starts(path, "/sys/devices/system/cpu/cpu0/cache/");
}

int engine_own_call(struct overlay_call *call)
{
    if (call->number != SYS_open && call->number != SYS_openat && call->number != SYS_statfs)
        return PASS;
    if (t_wants_engine != 0 && call->number != SYS_statfs) {
        t_wants_engine = 0;
        overlay_with_vector_state_saved(load_once, NULL); /* the loader's own registers, at its system call */
        return answer(call, -ENOENT);
    }
    return is_for_the_runtime_to_miss((const char *)call->args[call->number == SYS_openat]) ? answer(call, -ENOENT) : PASS;
}

long engine_ensure_loaded(void)
{
    if (__atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE) == NOT_LOADED) {
        overlay_in_engine++;
        hear_of_setxid(SIG_UNBLOCK);
        overlay_with_vector_state_saved(load_under_the_loaders_lock, NULL);
        hear_of_setxid(SIG_BLOCK);
        overlay_in_engine--;
    }
    int state = __atomic_load_n(&s_load_state, __ATOMIC_ACQUIRE);
    return state == LOADED ? 0 : state == FAILED ? -ELIBACC : t_error;
}
