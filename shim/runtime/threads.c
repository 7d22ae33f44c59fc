/*
 * The runtime's list of threads, over fork and at the end of a thread. Linked into the engine.
 *
 * Fork. The child has one thread; the runtime would go on with its list of all. Its entries lie in the thread-local memory of
 * threads that are gone, which libc gives to new threads: the next collection would walk through whatever is there then. So they
 * are taken out of the list right after the fork, while they are still whole: the gate saw to it that no thread was in the
 * runtime. What each had of the heap is given back by the runtime's own Thread::Detach.
 *
 * The end of a thread. The runtime takes the thread out of its list from a destructor of thread-specific data, and ends the
 * process if that thread comes again. Destructors of the program's own may still use files, and so may signal handlers: so ours
 * waits for the last round of destructors, and lets no signal through afterwards. Also of a thread that the runtime does not know: it may come
 * for the first time in the last round, and whoever stays in the list when its memory is given to the next thread makes the list a ring. (Still: a
 * destructor of a key that is younger than ours, which uses files in the last of all rounds.) A fork meanwhile would leave the list's lock held in the
 * child, hence the gate.
 *
 * The beginning of a thread. What libc has to allocate for it (thread-local memory, the key's place) is allocated before the
 * thread's first call comes to the gate, for the reason that memory.c gives; and the bounds of its stack, which the runtime does
 * not use for what we do, are not asked for: libc would allocate, and read /proc/self/maps.
 *
 * Signals. To stop a thread for a collection the runtime sends it SIGRTMIN, which the program may use itself. A thread leaves
 * managed code by itself soon enough: none is sent.
 *
 * The names are those of the runtime's C++; offsets are asked from its code, not assumed.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;
struct iterator { /* ThreadStore::Iterator */
    struct thread *position;
};

extern struct thread **runtime_thread_store(void) __asm__("_Z14GetThreadStorev");
extern void iterator_start(struct iterator *) __asm__("_ZN11ThreadStore8IteratorC1Ev");
extern struct thread *iterator_next(struct iterator *) __asm__("_ZN11ThreadStore8Iterator7GetNextEv");
extern __thread char tls_CurrentThread[] __attribute__((visibility("hidden")));
extern bool thread_is_initialised(struct thread *) __asm__("_ZN6Thread13IsInitializedEv");
extern uint64_t thread_id(struct thread *) __asm__("_ZN6Thread24GetPalThreadIdForLoggingEv");
extern void forget_id(unsigned long id, struct thread *) __asm__("_Z28RemoveThreadFromAsyncSafeMapmPv");
extern void thread_detach(struct thread *) __asm__("_ZN6Thread6DetachEv");
extern void thread_destroy(struct thread *) __asm__("_ZN6Thread7DestroyEv");

int __wrap_pthread_kill(pthread_t thread, int number);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);
int __wrap_pthread_attr_getstack(const pthread_attr_t *attributes, void **low, size_t *size);
struct overlay_threads; /* struct overlay_engine_threads of shim/native/engine.h */
bool overlay_threads_start(struct overlay_threads *threads);

struct overlay_threads {
    bool (*is_last)(void);
    void (*enter_for_end)(void);
    void (*leave_for_end)(void);
    void (*prepare)(void);
    void (*forget)(void);
};

static bool (*s_is_last)(void);
static void (*s_enter)(void), (*s_leave)(void);
static void (*s_runtime_destructor)(void *);
static pthread_key_t *s_key;
static __thread int t_rounds; /* of destructors that this thread has gone through: its key has a value from its first call on */

static char s_not_seen_yet; /* the key's value in a thread that the runtime does not know */

/* This thread if the runtime knows it. */
static struct thread *self_if_known(void)
{
    struct thread *self = (struct thread *)tls_CurrentThread;
    return thread_is_initialised(self) ? self : NULL;
}

/*
 * The value says only that there is one. A handler may come in between and make this thread known to the runtime, which sets the value: what was passed, or is
 * set here again, is then the older one. Who is to be taken out of the list is asked when no handler comes any more.
 */
static void at_thread_end(void *thread)
{
    if (++t_rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(*s_key, thread) == 0)
        return;
    /* libc calls exit in it, behind its destructors: handlers, and what stdio still has, may need the engine. */
    if (s_is_last != NULL && s_is_last())
        return;
    /* The filter blocks the signals, and leaves them blocked. */
    if (s_enter != NULL)
        s_enter();
    struct thread *self = self_if_known();
    if (self != NULL)
        s_runtime_destructor(self);
    if (s_leave != NULL)
        s_leave();
}

/* In each thread before its first call, and not behind the gate. */
static void prepare_thread(void)
{
    *(volatile char *)tls_CurrentThread;
    if (pthread_getspecific(*s_key) == NULL)
        pthread_setspecific(*s_key, &s_not_seen_yet);
}

int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    (void)thread;
    return pthread_attr_init(attributes);
}

int __wrap_pthread_attr_getstack(const pthread_attr_t *attributes, void **low, size_t *size)
{
    enum { SOME = 1 << 20 };
    (void)attributes;
    *low = (char *)__builtin_frame_address(0) - SOME;
    *size = 2 * SOME;
    return 0;
}

/* The runtime makes one key. */
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    if (destructor == NULL || s_runtime_destructor != NULL)
        return __real_pthread_key_create(key, destructor);
    s_runtime_destructor = destructor;
    s_key = key;
    return __real_pthread_key_create(key, at_thread_end);
}

int __wrap_pthread_kill(pthread_t thread, int number)
{
    (void)thread;
    (void)number;
    return ESRCH; /* for the runtime: that thread is just ending */
}

/* It would let its signal through to a thread that comes for the first time, while the filter holds all back. */
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how;
    (void)set;
    if (before != NULL)
        sigemptyset(before);
    return 0;
}

/* Where a thread has the pointer to the next one: shown a thread of which each word is its own offset, the iterator says it. */
static size_t offset_of_next(void)
{
    static uintptr_t s_model[256];
    for (size_t i = 0; i < sizeof s_model / sizeof *s_model; i++)
        s_model[i] = i * sizeof *s_model;
    struct iterator iterator = {(struct thread *)s_model};
    iterator_next(&iterator);
    return (uintptr_t)iterator.position;
}

static struct thread **next_of(struct thread *thread, size_t offset)
{
    return (struct thread **)((char *)thread + offset);
}

/* In a forked child, before it can start threads. */
static void forget_threads(void)
{
    size_t offset = offset_of_next();
    struct thread **head = runtime_thread_store(), *self = self_if_known(), *thread = *head, *next;
    *head = NULL;
    for (; thread != NULL; thread = next) {
        next = *next_of(thread, offset);
        if (thread == self)
            continue;
        thread_detach(thread);
        forget_id(thread_id(thread), thread);
        thread_destroy(thread);
    }
    if (self != NULL) {
        *next_of(self, offset) = NULL;
        *head = self;
    }
}

/* Called once by a thread that is in the list. False if this runtime's list is not what we take it for. */
bool overlay_threads_start(struct overlay_threads *threads)
{
    s_is_last = threads->is_last;
    s_enter = threads->enter_for_end;
    s_leave = threads->leave_for_end;
    threads->prepare = prepare_thread;
    threads->forget = forget_threads;
    struct iterator iterator;
    iterator_start(&iterator);
    struct thread **head = runtime_thread_store();
    if (s_runtime_destructor == NULL || *head == NULL || *head != iterator.position || *head != self_if_known())
        return false;
    struct thread *behind = *next_of(*head, offset_of_next());
    iterator_next(&iterator);
    return iterator.position == behind;
}
