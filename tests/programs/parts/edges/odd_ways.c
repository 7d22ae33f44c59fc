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

int main(int count, char **arguments)
{
    if (count != 2 || chdir(arguments[1]) != 0)
        return 1;
    truncated_to_less_than_nothing();
    locks();
    return 0;
}
