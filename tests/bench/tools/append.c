/* append DIRECTORY SAMPLE: lines of some 100 bytes to the end of a log, without fsync and with. */
#include "measure.h"

static uint8_t *s_sample;
static size_t s_length;
static int s_fd;

static void append(long index)
{
    enum { LINE = 100 };
    const uint8_t *line = s_sample + (size_t)index * LINE % (s_length - LINE);
    need(write(s_fd, line, LINE) == LINE, "write");
}

static void append_and_sync(long index)
{
    append(index);
    need(fsync(s_fd) == 0, "fsync");
}

static void log_file(const char *name)
{
    unlink(name);
    s_fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
    need(s_fd >= 0, name);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    s_sample = whole_file(argv[2], &s_length);
    need(chdir(argv[1]) == 0, argv[1]);
    log_file("log");
    row_each("append-100", append, 16, 1L << 40, time_box());
    close(s_fd);
    log_file("journal");
    row_each("append-100-fsync", append_and_sync, 1, 1L << 40, time_box());
    close(s_fd);
    return 0;
}
