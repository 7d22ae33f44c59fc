/* Bytes: read, write and their kin, truncation, allocation, copies. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "world.h"

static void say_data(ssize_t count)
{
    if (count > 0)
        say(" %016llx", (unsigned long long)digest(buffer, (size_t)count));
    answer(count);
}

static void reading(int fd)
{
    size_t size = odd_size();
    int64_t offset = odd_offset();
    unsigned char *to = buffer + (one_in(4) ? below(100) : 0);
    ssize_t count;
    switch (below(4)) {
        case 0:
            say("read(%d, %zu)", fd, size);
            count = read(fd, to, size);
            break;
        case 1: {
            struct iovec parts[3] = {{buffer, size / 3}, {buffer + size / 3, 0}, {buffer + size / 3, size - size / 3}};
            say("preadv2(%d, %zu, %lld)", fd, size, (long long)offset);
            count = preadv2(fd, parts, 3, one_in(5) ? -1 : offset, 0);
            to = buffer;
            break;
        }
        default:
            say("pread(%d, %zu, %lld)", fd, size, (long long)offset);
            count = pread(fd, to, size, offset);
    }
    if (count > 0)
        say(" %016llx", (unsigned long long)digest(to, (size_t)count));
    answer(count);
}

static void writing(int fd)
{
    size_t size = odd_size();
    int64_t offset = odd_offset();
    fill(buffer, size);
    switch (below(5)) {
        case 0:
        case 1:
            say("write(%d, %zu)", fd, size);
            answer(write(fd, buffer, size));
            break;
        case 2: {
            static const int flags[] = {0, RWF_APPEND, RWF_DSYNC, 0x20, RWF_NOWAIT, RWF_APPEND | 0x20};
            struct iovec parts[3] = {{buffer, size / 2}, {buffer + size / 2, 0}, {buffer + size / 2, size - size / 2}};
            unsigned which = below(4); /* not RWF_NOWAIT: it is refused */
            say("pwritev2(%d, %zu, %lld, %d)", fd, size, (long long)offset, flags[which]);
            answer(pwritev2(fd, parts, 3, one_in(4) ? -1 : offset, flags[which]));
            break;
        }
        default:
            say("pwrite(%d, %zu, %lld)", fd, size, (long long)offset);
            answer(pwrite(fd, buffer, size, offset));
    }
}

static void extent(int fd)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
        FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE};
    int64_t offset = odd_offset();
    const char *name = any_name();
    switch (below(4)) {
        case 0:
            say("ftruncate(%d, %lld)", fd, (long long)offset);
            answer(ftruncate(fd, offset));
            break;
        case 1:
            say("truncate(%s, %lld)", name, (long long)offset);
            answer(truncate(name, offset));
            break;
        default: {
            int mode = modes[below(sizeof modes / sizeof *modes)];
            int64_t size = one_in(10) ? 0 : (int64_t)odd_size();
            say("fallocate(%d, %x, %lld, %lld)", fd, mode, (long long)offset, (long long)size);
            answer(fallocate(fd, mode, offset, size));
        }
    }
}

static int are_one_file(int first, int second)
{
    struct stat a, b;
    return fstat(first, &a) == 0 && fstat(second, &b) == 0 && a.st_ino == b.st_ino;
}

static int is_directory(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

static void copying(int fd)
{
    int other = any_fd();
    size_t size = odd_size();
    off_t in = odd_offset(), out = odd_offset();
    int has_in = one_in(2), has_out = one_in(2), pipes[2];
    switch (below(4)) {
        case 0:
            if (are_one_file(fd, other) || is_directory(fd))
                return; /* what overlaps is read as it is written, page by page */
            say("sendfile(%d, %d, %lld, %zu)", other, fd, has_in ? (long long)in : -1, size);
            answer(sendfile(other, fd, has_in ? &in : NULL, size));
            say("  at %lld\n", (long long)in);
            break;
        case 1:
            say("copy_file_range(%d, %lld, %d, %lld, %zu)", fd, has_in ? (long long)in : -1, other, has_out ? (long long)out : -1, size);
            answer(copy_file_range(fd, has_in ? &in : NULL, other, has_out ? &out : NULL, size, 0));
            say("  at %lld %lld\n", (long long)in, (long long)out);
            break;
        case 2: {
            size_t inside = 1 + below(9000);
            if (pipe(pipes) < 0)
                return;
            fill(buffer, inside);
            if (write(pipes[1], buffer, inside) != (ssize_t)inside)
                return;
            say("splice(pipe of %zu, %d, %lld, %zu)", inside, fd, has_out ? (long long)out : -1, size);
            answer(splice(pipes[0], NULL, fd, has_out ? &out : NULL, size, SPLICE_F_NONBLOCK));
            int left = -1;
            ioctl(pipes[0], FIONREAD, &left);
            say("  left %d at %lld\n", left, (long long)out);
            close(pipes[0]);
            close(pipes[1]);
            break;
        }
        default:
            if (pipe(pipes) < 0)
                return;
            if (size > 16384)
                size = 16384;
            say("splice(%d, %lld, pipe, %zu)", fd, has_in ? (long long)in : -1, size);
            ssize_t moved = splice(fd, has_in ? &in : NULL, pipes[1], NULL, size, SPLICE_F_NONBLOCK);
            if (moved > 0 && read(pipes[0], buffer, (size_t)moved) != moved)
                say(" short");
            say_data(moved);
            say("  at %lld\n", (long long)in);
            close(pipes[0]);
            close(pipes[1]);
    }
}

void step_of_data(void)
{
    int fd = any_fd();
    switch (below(10)) {
        case 0:
        case 1: reading(fd); break;
        case 2:
        case 3:
        case 4: writing(fd); break;
        case 5: extent(fd); break;
        case 6: copying(fd); break;
        case 7: {
            static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
            int64_t offset = odd_offset() - (one_in(3) ? 20000 : 0);
            int whence = whences[below(3)];
            say("lseek(%d, %lld, %d)", fd, (long long)offset, whence);
            answer(lseek(fd, offset, whence));
            break;
        }
        case 8: {
            int value = -1;
            if (one_in(2) && !world.has_changed_user) { /* see shown_mode */
                say("fsync(%d)", fd);
                answer(one_in(2) ? fsync(fd) : fdatasync(fd));
            } else {
                say("FIONREAD(%d)", fd);
                int result = ioctl(fd, FIONREAD, &value);
                say(" %d", value);
                answer(result);
            }
            break;
        }
        default:
            say("fstat(%d)", fd);
            say_status(fd, "", AT_EMPTY_PATH);
    }
}
