/*
 * full_pipes DIRECTORY: more is spliced, or sent, into a pipe than it holds: the call ends with what fitted, and waits only where nothing does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define SIZE 300000

static char s_bytes[SIZE];

static void drain(int pipe_end, long count)
{
    unsigned sum = 0;
    long done = 0;
    while (done < count) {
        long got = read(pipe_end, s_bytes, (size_t)(count - done));
        if (got <= 0)
            break;
        for (long i = 0; i < got; i++)
            sum = sum * 31 + (unsigned char)s_bytes[i];
        done += got;
    }
    printf(", drained %ld, %08x\n", done, sum);
}

static const char *why(long result)
{
    return result < 0 ? strerror(errno) : "";
}

int main(int argc, char **argv)
{
    int ends[2];
    if (argc != 2 || chdir(argv[1]) < 0 || pipe(ends) < 0)
        return 2;
    for (int i = 0; i < SIZE; i++)
        s_bytes[i] = (char)(i * 7 + i / 256);
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, s_bytes, SIZE) != SIZE)
        return 3;

    loff_t at = 0;
    long moved = splice(fd, &at, ends[1], NULL, SIZE, 0);
    printf("splice: %ld %s, at %ld", moved, why(moved), (long)at);
    long again = splice(fd, &at, ends[1], NULL, SIZE, SPLICE_F_NONBLOCK);
    printf(", again: %ld %s", again, why(again));
    drain(ends[0], moved);

    if (write(ends[1], "some bytes", 10) != 10)
        return 4;
    at = 8192;
    moved = splice(fd, &at, ends[1], NULL, SIZE, 0);
    printf("into a pipe with something: %ld %s, at %ld", moved, why(moved), (long)at);
    drain(ends[0], moved + 10);

    at = 0;
    moved = sendfile(ends[1], fd, &at, SIZE);
    printf("sendfile: %ld %s, at %ld", moved, why(moved), (long)at);
    drain(ends[0], moved);

    at = SIZE - 10;
    moved = splice(fd, &at, ends[1], NULL, SIZE, 0);
    printf("the last bytes: %ld %s", moved, why(moved));
    drain(ends[0], moved);
    moved = splice(fd, &at, ends[1], NULL, SIZE, 0);
    printf("behind them: %ld %s\n", moved, why(moved));
    return 0;
}
