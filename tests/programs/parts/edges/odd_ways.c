/* odd_ways DIRECTORY: calls that nobody makes but by mistake, or once in a lifetime, and what is left of the files after them. */
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../rest_of_io/say.h"

static int make(const char *path, size_t size)
{
    char *data = malloc(size);
    memset(data, 'd', size);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        perror(path);
    free(data);
    return fd;
}

static void content(const char *path)
{
    static unsigned char data[1 << 20];
    unsigned sum = 0;
    int fd = open(path, O_RDONLY);
    long count = read(fd, data, sizeof data);
    for (long i = 0; i < count; i++)
        sum = sum * 31 + data[i];
    printf("%s: %ld bytes, %08x\n", path, count, sum);
    close(fd);
}

/* By name, of a file that this program has open, too. */
static void truncated_to_less_than_nothing(void)
{
    int fd = make("negative", 40000);
    SAY(truncate("negative", -1));
    SAY(truncate("negative", LONG_MIN));
    SAY(ftruncate(fd, LONG_MIN));
    content("negative");
    SAY(write(fd, "written", 7));
    close(fd);
    SAY(truncate("negative", LONG_MIN));
    content("negative");
}

/* O_WRONLY | O_RDWR is for ioctl alone. */
static void open_for_neither(void)
{
    close(make("neither", 30000));
    char text[100];
    int fd = OPENED(open("neither", O_WRONLY | O_RDWR)), other = open("neither", O_RDWR), ends[2], waiting = 0;
    if (pipe(ends) != 0)
        exit(1);
    SAY(read(fd, text, sizeof text));
    SAY(pread(fd, text, sizeof text, 5));
    SAY(write(fd, "text", 4));
    SAY(pwrite(fd, "text", 4, 5));
    SAY(ftruncate(fd, 5));
    SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 20000));
    SAY(sendfile(other, fd, NULL, 10));
    SAY(sendfile(fd, other, NULL, 10));
    SAY(copy_file_range(fd, NULL, other, NULL, 10, 0));
    SAY(splice(fd, NULL, ends[1], NULL, 10, 0));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    SAY(ioctl(fd, FIONREAD, &waiting));
    printf("waiting: %d\n", waiting);
    SAY(fsync(fd));
    SAY(lseek(fd, 0, SEEK_END));
    content("neither");
    int cut = OPENED(open("neither", O_WRONLY | O_RDWR | O_TRUNC));
    content("neither");
    close(cut);
    close(other);
    close(fd);
}

static void cut_on_opening(void)
{
    close(make("cut", 20000));
    mkdir("directory", 0755);
    OPENED(open("directory", O_RDONLY | O_TRUNC));
    OPENED(open("directory", O_RDONLY | O_DIRECTORY | O_TRUNC));
    /* Nothing that would have to be changed is looked up in the cache alone. */
    struct open_how how = {.flags = O_RDWR | O_TRUNC, .resolve = RESOLVE_CACHED};
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, "cut", &how, sizeof how);
    opened("from the cache, cut", fd);
    content("cut");
}

/* What F_GETLK leaves in the structure, which the program may go on to use. */
static void locks(void)
{
    int fd = make("locked", 20000);
    struct flock asked = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -100, .l_len = 50};
    SAY(fcntl(fd, F_GETLK, &asked));
    printf("free: type %d, whence %d, %ld + %ld\n", asked.l_type, asked.l_whence, (long)asked.l_start, (long)asked.l_len);
    int other = open("locked", O_RDWR);
    struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 19920, .l_len = 10};
    SAY(fcntl(other, F_OFD_SETLK, &held));
    asked = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -100, .l_len = 50};
    SAY(fcntl(fd, F_OFD_GETLK, &asked));
    printf("held: type %d, whence %d, %ld + %ld\n", asked.l_type, asked.l_whence, (long)asked.l_start, (long)asked.l_len);
    static const struct flock s_fixed = {.l_type = F_RDLCK, .l_whence = SEEK_END, .l_start = -10};
    SAY(fcntl(fd, F_GETLK, &s_fixed));
    close(other);
    close(fd);
}

/* A name that is taken is told before the border of a file system. */
static void links(void)
{
    close(make("linked", 10));
    close(make("taken", 10));
    SAY(linkat(AT_FDCWD, "/proc/self/mounts", AT_FDCWD, "taken", 0));
    SAY(linkat(AT_FDCWD, "/proc/self/mounts", AT_FDCWD, "new", 0));
    SAY(linkat(AT_FDCWD, "linked", AT_FDCWD, "/proc/self/mounts", 0));
    SAY(linkat(AT_FDCWD, "linked", AT_FDCWD, "taken", 0));
    SAY(linkat(AT_FDCWD, "linked", AT_FDCWD, "taken", 0x8000));
    SAY(linkat(AT_FDCWD, "/proc/self/mounts", AT_FDCWD, "missing/taken", 0x8000));
}

static void pipe_has(int end)
{
    int waiting = 0;
    ioctl(end, FIONREAD, &waiting);
    printf("in the pipe: %d\n", waiting);
}

static void transfers(void)
{
    int fd = make("moved", 30), ends[2], directory = open(".", O_RDONLY | O_DIRECTORY);
    if (pipe(ends) != 0 || write(ends[1], "some text in a pipe", 19) != 19)
        exit(1);
    off_t negative = -1, highest = LONG_MAX - 1, start = 10;
    SAY(splice(fd, &negative, ends[1], NULL, 10, 0));
    SAY(splice(ends[0], NULL, fd, &negative, 10, 0));
    pipe_has(ends[0]);
    SAY(splice(ends[0], NULL, fd, &highest, 10, 0));
    pipe_has(ends[0]);
    SAY(sendfile(fd, directory, NULL, 10));
    /* What a copy within a file adds to it is not copied again. */
    SAY(lseek(fd, 0, SEEK_END));
    SAY(copy_file_range(fd, &start, fd, NULL, 1000, 0));
    printf("from %ld\n", (long)start);
    content("moved");
    close(directory);
    close(fd);
}

/* With O_APPEND an offset means nothing, and yet must be one. */
static void offsets(void)
{
    int fd = make("offsets", 100), append = open("offsets", O_RDWR | O_APPEND);
    char text[20];
    struct iovec { void *base; size_t length; } piece = {text, sizeof text};
    SAY(pwrite(append, "text", 4, LONG_MAX - 2));
    SAY(pwrite(append, "text", 4, LONG_MAX - 4));
    SAY(pwrite(fd, "text", 4, LONG_MAX - 2));
    SAY(pread(fd, text, sizeof text, LONG_MAX - 2));
    SAY(pread(fd, text, sizeof text, LONG_MAX - (long)sizeof text));
    SAY(syscall(SYS_preadv, fd, &piece, 1, LONG_MAX - 2, 0));
    SAY(syscall(SYS_pwritev2, append, &piece, 1, LONG_MAX - 2, 0, 0));
    content("offsets");
    close(append);
    close(fd);
}

static void punch(int fd, const char *what, int mode, off_t offset, off_t length)
{
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    struct stat status;
    futimens(fd, times);
    say(what, fallocate(fd, mode, offset, length));
    fstat(fd, &status);
    printf("changed: %d, size %ld\n", status.st_mtim.tv_sec != 1000, (long)status.st_size);
}

/* Counts as a change where there was nothing to take away, too. */
static void punched(void)
{
    int fd = make("punched", 50000);
    for (int i = 0; i < 2; i++)
        punch(fd, "inside", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16384, 16384);
    punch(fd, "behind", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 4096);
    for (int i = 0; i < 2; i++)
        punch(fd, "zeros", FALLOC_FL_ZERO_RANGE, 20000, 10000);
    content("punched");
    close(fd);
}

int main(int count, char **arguments)
{
    if (count != 2 || chdir(arguments[1]) != 0)
        return 1;
    truncated_to_less_than_nothing();
    open_for_neither();
    cut_on_opening();
    locks();
    links();
    transfers();
    offsets();
    punched();
    return 0;
}
