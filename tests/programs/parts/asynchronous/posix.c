/* posix DIRECTORY: libc's asynchronous I/O, which threads of its own do: aio_write, aio_read, lio_listio, aio_fsync, notices, O_APPEND. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 40, SIZE = 7000 };

static char s_blocks[COUNT][SIZE], s_back[COUNT][SIZE];
static sem_t s_noticed;

static void notice(union sigval value)
{
    (void)value;
    sem_post(&s_noticed);
}

static struct aiocb request(int fd, void *buffer, size_t size, long offset, int opcode)
{
    return (struct aiocb){.aio_fildes = fd, .aio_buf = buffer, .aio_nbytes = size, .aio_offset = offset, .aio_lio_opcode = opcode,
                          .aio_sigevent = {.sigev_notify = SIGEV_NONE}};
}

static long finish(struct aiocb *asked)
{
    const struct aiocb *list[] = {asked};
    while (aio_error(asked) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    int error = aio_error(asked);
    long result = aio_return(asked);
    return error != 0 ? -error : result;
}

static void lists(int fd)
{
    static struct aiocb requests[COUNT], *list[COUNT];
    long wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        memset(s_blocks[i], 'A' + i, SIZE);
        strcpy(s_blocks[i] + 10, getenv("MARKER"));
        requests[i] = request(fd, s_blocks[i], SIZE, (long)i * SIZE, LIO_WRITE);
        list[i] = &requests[i];
    }
    printf("written: %d\n", lio_listio(LIO_WAIT, list, COUNT, NULL));
    for (int i = 0; i < COUNT; i++) {
        wrong += aio_return(&requests[i]) != SIZE;
        requests[i] = request(fd, s_back[i], SIZE, (long)i * SIZE, LIO_READ);
    }
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notice};
    printf("started: %d\n", lio_listio(LIO_NOWAIT, list, COUNT, &event));
    sem_wait(&s_noticed);
    for (int i = 0; i < COUNT; i++)
        wrong += aio_return(&requests[i]) != SIZE || memcmp(s_blocks[i], s_back[i], SIZE) != 0;
    printf("wrong: %ld, size %ld\n", wrong, lseek(fd, 0, SEEK_END));
}

int main(int argc, char **argv)
{
    char text[] = "one by one", back[20] = "";
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sem_init(&s_noticed, 0, 0);
    int fd = open("posix", O_RDWR | O_CREAT | O_TRUNC, 0600);
    lists(fd);
    struct aiocb asked = request(fd, text, sizeof text, 500000, 0);
    asked.aio_sigevent = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notice};
    aio_write(&asked);
    sem_wait(&s_noticed);
    printf("write: %ld\n", finish(&asked));
    asked = request(fd, back, sizeof back, 500000, 0);
    aio_read(&asked);
    printf("read: %ld %s\n", finish(&asked), back);
    asked = request(fd, NULL, 0, 0, 0);
    aio_fsync(O_SYNC, &asked);
    printf("sync: %ld\n", finish(&asked));
    asked = request(fd, (void *)8, 10, 0, 0);
    aio_write(&asked);
    printf("a bad buffer: %ld\n", finish(&asked));
    asked = request(fd, back, 10, -1, 0);
    int error = aio_read(&asked) != 0 ? errno : (int)-finish(&asked);
    printf("a negative offset: %d\n", error);
    asked = request(-1, back, 10, 0, 0);
    error = aio_read(&asked) != 0 ? errno : (int)-finish(&asked);
    printf("no descriptor: %d\n", error);
    int end = open("posix", O_WRONLY | O_APPEND);
    asked = request(end, text, sizeof text, 0, 0);
    aio_write(&asked);
    printf("append: %ld\n", finish(&asked));
    printf("size %ld\n", lseek(fd, 0, SEEK_END));
    return 0;
}
