/*
 * Threads whose user libc changes, one after the other, before and while the engine is loaded: libc holds a lock meanwhile that loading takes. And
 * the last thread of a process, which libc has leave through exit behind its destructors. Argument: the directory.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 12 };

static int s_go;

static void *wait_or_end(void *argument)
{
    if (argument != NULL)
        pause(); /* the change interrupts it */
    return argument;
}

static void *write_some(void *name)
{
    while (__atomic_load_n(&s_go, __ATOMIC_ACQUIRE) == 0)
        ;
    FILE *file = fopen(name, "w");
    for (int i = 0; i < 20000; i++)
        fprintf(file, "line %d\n", i);
    fclose(file);
    return NULL;
}

static void change_first(void)
{
    pthread_t other;
    pthread_create(&other, NULL, wait_or_end, &s_go);
    usleep(2000);
    if (setgid(getgid()) != 0)
        printf("setgid failed\n");
}

static void change_while_loading(void)
{
    pthread_t others[3];
    char *names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        pthread_create(&others[i], NULL, write_some, names[i]);
    __atomic_store_n(&s_go, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 20; i++)
        if (setgid(getgid()) != 0)
            printf("setgid failed\n");
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
}

/* What stdio has is written by exit. */
static void leave_last(void)
{
    pthread_t other;
    FILE *file = fopen("last", "a");
    fprintf(file, "written by exit\n");
    pthread_create(&other, NULL, wait_or_end, NULL);
    pthread_join(other, NULL);
    pthread_exit(NULL);
}

static pthread_barrier_t s_end;

static void *end_with_others(void *file)
{
    fprintf(file, "written at last\n");
    pthread_barrier_wait(&s_end);
    return NULL;
}

/* The kernel counts the main thread for as long as there are others. Whoever is the last of those that end together calls exit. */
static void leave_main_behind(void)
{
    enum { OTHERS = 3 };
    pthread_t other;
    FILE *file = fopen("last", "a");
    pthread_barrier_init(&s_end, NULL, OTHERS);
    for (int i = 0; i < OTHERS; i++)
        pthread_create(&other, NULL, end_with_others, file);
    pthread_exit(NULL);
}

static void *end_later(void *name)
{
    usleep(3000);
    fprintf(fopen(name, "a"), "written by a thread\n");
    return NULL;
}

/* Here it has never come to the engine. */
static void leave_main_first(void)
{
    pthread_t other;
    pthread_create(&other, NULL, end_later, "last");
    pthread_exit(NULL);
}

static void in_child(void (*run)(void))
{
    int status;
    fflush(stdout);
    if (fork() == 0) {
        run();
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    if (status != 0)
        printf("status %x\n", status);
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) != 0)
        return 2;
    for (int i = 0; i < ROUNDS; i++) {
        in_child(change_first);
        in_child(change_while_loading);
        in_child(leave_last);
        in_child(leave_main_behind);
        in_child(leave_main_first);
    }
    return 0;
}
