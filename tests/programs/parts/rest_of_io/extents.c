/* extents DIRECTORY: allocation in every mode, holes, hints, what ioctl says of extents and attributes. */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "say.h"

static char s_buffer[1 << 20];

static long size_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -1;
}

static void sum(const char *what, int fd)
{
    unsigned long result = 5381;
    long at = 0;
    for (long count; (count = pread(fd, s_buffer, sizeof s_buffer, at)) > 0; at += count)
        for (long i = 0; i < count; i++)
            result = result * 33 + (unsigned char)s_buffer[i];
    printf("%s: size %ld, sum %lx\n", what, size_of(fd), result);
}

static void fill(int fd, long size)
{
    for (long i = 0; i < size; i++)
        s_buffer[i] = (char)(i * 7 + i / 256);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, s_buffer, (size_t)size, 0) != size)
        perror("fill");
}

static void modes(int fd)
{
    static const struct {
        int mode;
        long offset, length;
    } steps[] = {
        {0, 0, 100}, {0, 900000, 200000}, {FALLOC_FL_KEEP_SIZE, 900000, 500000}, {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5, 100000},
        {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000000, 500000}, {FALLOC_FL_PUNCH_HOLE, 0, 100}, {FALLOC_FL_ZERO_RANGE, 200001, 99},
        {FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 1099000, 5000}, {FALLOC_FL_ZERO_RANGE, 1099000, 5000}, {0, -1, 10}, {0, 0, 0}, {0, 10, -1},
        {FALLOC_FL_KEEP_SIZE, 0, 0}, {FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100}, {0x1000, 0, 100},
        {0, 0x7ffffffffffffff0, 0x100},
    };
    fill(fd, 1000000);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        long result = fallocate(fd, steps[i].mode, steps[i].offset, steps[i].length);
        printf("fallocate %#x %ld %ld: %s\n", steps[i].mode, steps[i].offset, steps[i].length, result == 0 ? "done" : strerror(errno));
        sum("then", fd);
    }
    int reader = open("file", O_RDONLY);
    SAY(fallocate(reader, 0, 0, 100));
    SAY(posix_fallocate(fd, 2000000, 10));
    printf("size %ld\n", size_of(fd));
    close(reader);
}

static void holes(int fd)
{
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, 4 << 20) != 0 || pwrite(fd, "data", 4, 2 << 20) != 4)
        perror("holes");
    long data = lseek(fd, 0, SEEK_DATA), hole = lseek(fd, 2 << 20, SEEK_HOLE);
    printf("data before %d, hole behind %d\n", data <= 2 << 20 && data > 1 << 20, hole > 2 << 20 && hole <= (2 << 20) + (64 << 10));
    SAY(lseek(fd, 3 << 20, SEEK_DATA));
    SAY(lseek(fd, 3 << 20, SEEK_HOLE));
    SAY(lseek(fd, 4 << 20, SEEK_HOLE));
    SAY(lseek(fd, (4 << 20) - 1, SEEK_HOLE));
    SAY(lseek(fd, -1, SEEK_DATA));
    SAY(lseek(fd, -1, SEEK_HOLE));
    SAY(lseek(fd, 0, 99));
}

static void hints(int fd)
{
    fill(fd, 100000);
    SAY(readahead(fd, 0, 50000));
    SAY(readahead(fd, 1000000, 50000));
    SAY(readahead(-1, 0, 1));
    for (int advice = 0; advice < 8; advice++)
        printf("advice %d: %d\n", advice, posix_fadvise(fd, 0, 50000, advice));
    SAY(posix_fadvise(fd, 0, -1, 0));
    SAY(sync_file_range(fd, 0, 50000, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    SAY(sync_file_range(fd, -1, 1, 0));
    SAY(sync_file_range(fd, 0, 1, 0x100));
    SAY(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    SAY(fsync(fd));
    SAY(fdatasync(fd));
    SAY(syncfs(fd));
    sum("after hints", fd);
}

static void controls(int fd)
{
    int value = 0, plain;
    struct statvfs space;
    struct fsxattr attributes = {0};
    SAY(ioctl(fd, FIGETBSZ, &value));
    printf("block size %d\n", value);
    SAY(ioctl(fd, FIONREAD, &value));
    printf("to be read %d\n", value);
    SAY(ioctl(fd, FS_IOC_GETFLAGS, &value));
    printf("flags %#x\n", value & ~(FS_EXTENT_FL | FS_INLINE_DATA_FL));
    plain = value;
    value |= FS_NODUMP_FL;
    SAY(ioctl(fd, FS_IOC_SETFLAGS, &value));
    SAY(ioctl(fd, FS_IOC_GETFLAGS, &value));
    printf("flags %#x\n", value & FS_NODUMP_FL);
    SAY(ioctl(fd, FS_IOC_FSGETXATTR, &attributes));
    printf("nodump %d\n", (attributes.fsx_xflags & FS_XFLAG_NODUMP) != 0);
    SAY(ioctl(fd, FS_IOC_GETVERSION, &value));
    SAY(ioctl(fd, 0x12345678, &value));
    SAY(fstatvfs(fd, &space));
    printf("a file system: %d\n", space.f_bsize > 0 && space.f_blocks > 0);
    struct dqblk quota;
    SAY(quotactl(QCMD(Q_GETQUOTA, USRQUOTA), "/dev/no", 0, (caddr_t)&quota));
    SAY(syscall(443 /* quotactl_fd */, fd, QCMD(Q_GETQUOTA, USRQUOTA), 0, &quota));

    /* Only ever more may be appended; then nothing may be changed. */
    value = plain | FS_APPEND_FL;
    if (ioctl(fd, FS_IOC_SETFLAGS, &value) == 0) {
        int end = OPENED(open("file", O_WRONLY | O_APPEND));
        OPENED(open("file", O_RDWR));
        OPENED(open("file", O_RDWR | O_TRUNC));
        SAY(write(end, "more", 4));
        SAY(pwrite(end, "more", 4, 0));
        SAY(ftruncate(end, 0));
        SAY(truncate("file", 0));
        SAY(unlink("file"));
        printf("size %ld\n", size_of(end));
        value = plain | FS_IMMUTABLE_FL;
        SAY(ioctl(fd, FS_IOC_SETFLAGS, &value));
        OPENED(open("file", O_WRONLY | O_APPEND));
        OPENED(open("file", O_RDONLY));
        SAY(fchmod(fd, 0644));
        value = plain;
        SAY(ioctl(fd, FS_IOC_SETFLAGS, &value));
        SAY(write(fd, "again", 5));
        close(end);
    }
}

static void memory(int fd)
{
    fill(fd, 100000);
    char *shared = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    printf("mapped %d\n", shared != MAP_FAILED && shared[99999] == s_buffer[99999]);
    SAY(madvise(shared, 4096, MADV_WILLNEED));
    SAY(madvise(shared, 4096, MADV_DONTNEED));
    printf("still there %d\n", shared[5] == s_buffer[5]);
    SAY(mlock(shared, 4096));
    SAY(msync(shared, 100000, MS_SYNC));
    long sealed = syscall(462 /* mseal */, shared, 4096, 0L);
    printf("mseal: %d\n", sealed == 0 || errno == ENOSYS);
    if (sealed == 0)
        SAY(munmap(shared, 4096));
    shared[50] = '!';
    SAY(pread(fd, s_buffer, 1, 50));
    printf("seen %c\n", s_buffer[0]);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    modes(fd);
    holes(fd);
    hints(fd);
    memory(fd);
    controls(fd);
    return 0;
}
