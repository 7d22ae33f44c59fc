/*
 * parallel read|write ROW PROCESSES SAMPLE FILE...   4 KiB at random places, by several processes at once, for the time box
 *
 * Process n uses the n-th file, so one name is one file for all. Readers have read for a while when the clock starts: twice as many times as the file has
 * places, or for MostWarming seconds.
 */
#include "measure.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static const double MostWarming = 3;

struct shared {
    int ready;
    double rates[64];
};

static struct shared *s_shared;
static uint8_t *s_sample, s_buffer[PAGE];
static size_t s_samplePages, s_pages;
static int s_fd;

static void one_read(long index)
{
    (void)index;
    need(pread(s_fd, s_buffer, PAGE, (off_t)(draw() % s_pages * PAGE)) == PAGE, "pread");
}

static void one_write(long index)
{
    const uint8_t *data = s_sample + (size_t)index * 7 % s_samplePages * PAGE;
    need(pwrite(s_fd, data, PAGE, (off_t)(draw() % s_pages * PAGE)) == PAGE, "pwrite");
}

static void work(int number, int processes, const char *path, operation run)
{
    struct stat info;
    double took;
    s_fd = open(path, O_RDWR);
    need(s_fd >= 0 && fstat(s_fd, &info) == 0, path);
    s_pages = (size_t)info.st_size / PAGE;
    for (int i = 0; i < number * 1000; i++)
        (void)draw();
    repeat(run, 16, run == one_read ? 2 * (long)s_pages : 1, MostWarming, &took);
    __atomic_add_fetch(&s_shared->ready, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&s_shared->ready, __ATOMIC_ACQUIRE) < processes)
        usleep(100);
    long done = repeat(run, 16, 1L << 40, time_box(), &took);
    s_shared->rates[number] = (double)done / took;
    exit(0);
}

int main(int argc, char **argv)
{
    int processes = argc > 5 ? atoi(argv[3]) : 0, status;
    if (processes < 1 || processes > 64)
        return 2;
    size_t length;
    s_sample = whole_file(argv[4], &length);
    s_samplePages = length / PAGE;
    s_shared = mmap(NULL, sizeof *s_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
            work(i, processes, argv[5 + i % (argc - 5)], argv[1][0] == 'r' ? one_read : one_write);
    }
    double sum = 0;
    for (int i = 0; i < processes; i++) {
        wait(&status);
        if (status != 0)
            return 1; /* The others, who may wait for it, end with us. */
    }
    for (int i = 0; i < processes; i++)
        sum += s_shared->rates[i];
    printf("%s op/s %.0f\n", argv[2], sum);
    return 0;
}
