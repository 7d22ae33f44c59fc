/* untouched FILE: calls on a file of no volume, which cost a program under Overlay the filter alone. */
#include "measure.h"

static const char *s_path;
static uint8_t s_buffer[64];
static int s_fd;

static void one_pread(long index)
{
    (void)index;
    need(pread(s_fd, s_buffer, sizeof s_buffer, 0) == sizeof s_buffer, "pread");
}

static void one_stat(long index)
{
    struct stat info;
    (void)index;
    need(stat(s_path, &info) == 0, "stat");
}

static void one_open(long index)
{
    (void)index;
    int fd = open(s_path, O_RDONLY);
    need(fd >= 0 && read(fd, s_buffer, sizeof s_buffer) == sizeof s_buffer, "open");
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    s_path = argv[1];
    s_fd = open(s_path, O_RDONLY);
    need(s_fd >= 0, s_path);
    row_each("untouched-pread-64", one_pread, 64, 1L << 40, time_box());
    row_each("untouched-stat", one_stat, 64, 1L << 40, time_box());
    row_each("untouched-open-read-close", one_open, 64, 1L << 40, time_box());
    return 0;
}
