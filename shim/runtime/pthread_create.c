/*
 * Linked into the engine in place of libc's function (--wrap): the runtime asks for one thread, for finalizers, and we have none.
 *
 * A second thread would be seen by the program: `fork` is then discouraged (Python says so), and a user namespace cannot be
 * entered. It would also be missing after every fork. Nothing waits for that thread; an object that needed it to be cleaned up
 * would leak, so the engine has none such (docs/decisions.md).
 */
#include <pthread.h>

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    (void)attributes;
    (void)start;
    (void)argument;
    *thread = pthread_self();
    return 0;
}
