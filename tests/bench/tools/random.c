/*
 * random read|write|mixed|sync ROW FILE CALL SAMPLE PASSES   CALL bytes at random multiples of CALL, for the time box
 *
 * mixed: seven reads to three writes; sync: a write and an fdatasync. What is written is taken from the sample. Before the clock starts, the same is
 * done (without fdatasync) for as many calls as PASSES times the file has, or for MostWarming seconds: what is then measured is a process that has
 * been at work for a while.
 */
#include "measure.h"

static const double MostWarming = 3;

static uint8_t *s_buffer, *s_sample;
static size_t s_call, s_sampleCalls, s_fileCalls;
static int s_fd;

static off_t somewhere(void) { return (off_t)(draw() % s_fileCalls * s_call); }

static void one_read(long index)
{
    (void)index;
    need(pread(s_fd, s_buffer, s_call, somewhere()) == (ssize_t)s_call, "pread");
}

static void one_write(long index)
{
    const uint8_t *data = s_sample + (size_t)index * 7 % s_sampleCalls * s_call;
    need(pwrite(s_fd, data, s_call, somewhere()) == (ssize_t)s_call, "pwrite");
}

static void one_of_both(long index)
{
    (index * 7 % 10 < 3 ? one_write : one_read)(index);
}

static void one_synced_write(long index)
{
    one_write(index);
    need(fdatasync(s_fd) == 0, "fdatasync");
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    struct stat info;
    size_t length;
    s_call = (size_t)atol(argv[4]);
    s_sample = whole_file(argv[5], &length);
    s_sampleCalls = length / s_call;
    s_buffer = calloc(1, s_call);
    memset(s_buffer, 1, s_call);
    s_fd = open(argv[3], O_RDWR);
    need(s_fd >= 0 && fstat(s_fd, &info) == 0, argv[3]);
    s_fileCalls = (size_t)info.st_size / s_call;
    operation run = argv[1][0] == 'r' ? one_read : argv[1][0] == 'w' ? one_write : argv[1][0] == 'm' ? one_of_both : one_synced_write;
    double took;
    if (atol(argv[6]) > 0)
        repeat(run == one_synced_write ? one_write : run, 16, atol(argv[6]) * (long)s_fileCalls, MostWarming, &took);
    row_each(argv[2], run, run == one_synced_write ? 1 : 16, 1L << 40, time_box());
    return 0;
}
