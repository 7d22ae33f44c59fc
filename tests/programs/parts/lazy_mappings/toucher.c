/* A library that maps a file when it is loaded, and goes on touching it in a thread. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (24L << 20)

static const unsigned char *s_map;

static void *touch(void *unused)
{
    long right = 0;
    for (long at = 0; at < SIZE; at += 4096) {
        right += s_map[at] == at % 251;
        if (at % (1 << 20) == 0)
            usleep(5000);
    }
    dprintf(1, "toucher: %ld\n", right);
    return unused;
}

__attribute__((constructor)) static void start(void)
{
    pthread_t thread;
    int fd = open("big", O_RDONLY);
    s_map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (s_map == MAP_FAILED || pthread_create(&thread, NULL, touch, NULL) != 0)
        abort();
}
