/*
 * answers DIRECTORY: what file calls say to arguments that are wrong or odd, line by line: the case compares the lines with those of a
 * plain directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

static char *s_bad;      /* a page that cannot be touched, behind one that can */
static char s_cut[] = "no zero at its end";

static void say(const char *what, long result)
{
    printf("%s: %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
}

#define SAY(call) say(#call, (long)(call))

/* Each with a path that cannot be read from its first byte on, and one that runs into such a page. */
static void paths(const char *path)
{
    struct stat status;
    struct statx wide;
    struct statfs file_system;
    struct timespec times[2] = {{0, 0}, {0, 0}};
    char text[100], *list[] = {(char *)path, NULL};
    SAY(open(path, O_RDONLY));
    SAY(open(path, O_CREAT | O_RDWR, 0600));
    SAY(openat(AT_FDCWD, path, O_RDONLY));
    SAY(creat(path, 0600));
    SAY(stat(path, &status));
    SAY(lstat(path, &status));
    SAY(fstatat(AT_FDCWD, path, &status, 0));
    SAY(statx(AT_FDCWD, path, 0, STATX_ALL, &wide));
    SAY(statfs(path, &file_system));
    SAY(access(path, F_OK));
    SAY(faccessat(AT_FDCWD, path, F_OK, AT_EACCESS));
    SAY(chmod(path, 0600));
    SAY(chown(path, 0, 0));
    SAY(lchown(path, 0, 0));
    SAY(truncate(path, 0));
    SAY(unlink(path));
    SAY(unlinkat(AT_FDCWD, path, 0));
    SAY(rmdir(path));
    SAY(mkdir(path, 0700));
    SAY(mknod(path, S_IFREG | 0600, 0));
    SAY(chdir(path));
    SAY(rename(path, "to"));
    SAY(rename("file", path));
    SAY(link(path, "to"));
    SAY(link("file", path));
    SAY(linkat(AT_FDCWD, path, AT_FDCWD, "to", AT_SYMLINK_FOLLOW));
    SAY(symlink(path, "to"));
    SAY(symlink("file", path));
    SAY(readlink(path, text, sizeof text));
    SAY(utimensat(AT_FDCWD, path, times, 0));
    SAY(utime(path, NULL));
    SAY(setxattr(path, "user.a", "b", 1, 0));
    SAY(getxattr(path, "user.a", text, sizeof text));
    SAY(execve(path, list, list));
    SAY(execve("/bin/true", list, list));
    SAY(swapon(path, 0));
}

static void results(void)
{
    struct stat *status = (struct stat *)s_bad;
    int fd = open("file", O_RDWR);
    SAY(stat("file", status));
    SAY(fstat(fd, status));
    SAY(stat("file", (struct stat *)(s_bad - 16)));
    SAY(fstatat(AT_FDCWD, "file", status, 0));
    SAY(statx(AT_FDCWD, "file", 0, STATX_ALL, (struct statx *)s_bad));
    SAY(readlink("link", s_bad, 100));
    SAY(fcntl(fd, F_SETLK, s_bad));
    SAY(fcntl(fd, F_GETLK, s_bad));
    SAY(syscall(SYS_openat2, AT_FDCWD, "file", s_bad, sizeof(struct open_how)));
    SAY(sendfile(fd, fd, (off_t *)s_bad, 10));
    SAY(syscall(SYS_clone3, s_bad, 88));
    close(fd);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode : 0;
}

/* The sticky bit is Overlay's mark on a regular file, but asking for it is no mistake. */
static void modes(void)
{
    umask(0);
    int fd = open("sticky", O_RDWR | O_CREAT, 01777);
    printf("a sticky file: %d, %o, written %zd\n", fd >= 0, mode_of("sticky") & ~S_ISVTX, write(fd, "text", 4));
    fchmod(fd, 0777);
    close(fd);
    fd = open(".", O_TMPFILE | O_RDWR, 07777);
    printf("one without a name: %d, written %zd\n", fd >= 0, write(fd, "text", 4));
    close(fd);
    umask(022);
}

static void mappings(void)
{
    int fd = open("write-only", O_WRONLY | O_CREAT, 0600);
    if (write(fd, "text", 4) != 4)
        perror("write-only");
    SAY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    SAY(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 7));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_FILE, fd, 0));
    close(fd);
}

static void paths_alone(void)
{
    int ends[2], path = open("file", O_PATH), fd = open("file", O_RDWR);
    if (pipe(ends) != 0)
        perror("pipe");
    SAY(splice(path, NULL, ends[1], NULL, 10, 0));
    SAY(splice(path, NULL, fd, NULL, 10, 0));
    SAY(splice(fd, NULL, path, NULL, 10, 0));
    SAY(sendfile(path, fd, NULL, 10));
    SAY(sendfile(fd, path, NULL, 10));
    SAY(copy_file_range(path, NULL, fd, NULL, 10, 0));
    SAY(read(path, s_cut, 1));
    SAY(ftruncate(path, 1));
    for (int i = 0; i < 2; i++)
        close(ends[i]);
    close(path);
    close(fd);
}

/* A child would start on what is no stack. */
static void stacks(void)
{
    uint64_t asked[8] = {0, 0, 0, 0, 17 /* SIGCHLD */, 0, 0, 0};
    uint64_t *stack = &asked[5], *size = &asked[6];
    *stack = (uintptr_t)s_bad - 4096;
    say("clone3 with a stack of no size", syscall(SYS_clone3, asked, sizeof asked));
    *size = UINT64_MAX - 4096;
    say("clone3 with a stack that is too long", syscall(SYS_clone3, asked, sizeof asked));
    *stack = UINT64_MAX - 8192;
    *size = 4096;
    say("clone3 with a stack of the kernel's", syscall(SYS_clone3, asked, sizeof asked));
    *stack = 0;
    say("clone3 with a size and no stack", syscall(SYS_clone3, asked, sizeof asked));
    asked[0] = 0x00004100; /* CLONE_VM | CLONE_VFORK */
    say("clone3 as vfork, with a size and no stack", syscall(SYS_clone3, asked, sizeof asked));
}

static void sizes_of_open_how(void)
{
    struct {
        struct open_how how;
        char more[16];
    } larger = {.how = {.flags = O_RDONLY}};
    printf("larger, zero: %d\n", syscall(SYS_openat2, AT_FDCWD, "file", &larger, sizeof larger) >= 0);
    larger.more[9] = 1;
    SAY(syscall(SYS_openat2, AT_FDCWD, "file", &larger, sizeof larger));
    SAY(syscall(SYS_openat2, AT_FDCWD, "file", &larger, 1 << 20));
    SAY(syscall(SYS_openat2, AT_FDCWD, "file", &larger, 8));
}

static void names(void)
{
    static char s_long_name[400], s_long_path[PATH_MAX + 100];
    memset(s_long_name, 'n', sizeof s_long_name - 1);
    memset(s_long_path, 'p', sizeof s_long_path - 1);
    for (size_t i = 200; i < sizeof s_long_path - 1; i += 200)
        s_long_path[i] = '/';
    say("rename to a long name", rename("file", s_long_name));
    say("rename to a long path", rename("file", s_long_path));
    say("link to a long path", link("file", s_long_path));
    say("rename of a long path", rename(s_long_path, "to"));
    SAY(rename("file", "missing/to"));
    SAY(rename("file", "file/to"));
    SAY(linkat(-5, "file", AT_FDCWD, "to", 0));
    SAY(linkat(AT_FDCWD, "file", -5, "to", 0));
    SAY(dup3(0, 99, -1));
    SAY(dup3(77, 99, -1));
    SAY(dup3(0, 0, 0));
}

static void transfers(void)
{
    int in = open("file", O_RDONLY), out = open("target", O_RDWR | O_CREAT, 0600), append = open("target", O_WRONLY | O_APPEND);
    int directory = open(".", O_RDONLY), ends[2];
    off_t negative = -1, zero = 0, high = (off_t)1 << 62;
    if (pipe(ends) != 0)
        exit(1);
    SAY(sendfile(out, in, &zero, 4));
    zero = 0;
    SAY(sendfile(-1, in, &zero, 4));
    SAY(sendfile(in, in, &zero, 4));
    SAY(sendfile(out, append, NULL, 4));
    SAY(sendfile(out, in, &negative, 4));
    SAY(sendfile(append, in, &zero, 4));
    SAY(copy_file_range(in, &zero, out, &zero, 4, 0));
    zero = 0;
    SAY(copy_file_range(in, &zero, out, &zero, 4, 1));
    SAY(copy_file_range(in, &zero, append, NULL, 4, 0));
    SAY(copy_file_range(in, &zero, in, &zero, 4, 0));
    SAY(copy_file_range(in, &zero, directory, &zero, 4, 0));
    SAY(copy_file_range(directory, &zero, out, &zero, 4, 0));
    SAY(copy_file_range(in, &zero, ends[1], NULL, 4, 0));
    SAY(splice(in, &zero, ends[1], NULL, 4, 0));
    zero = 0;
    SAY(splice(in, &zero, out, &zero, 4, 0));
    SAY(splice(ends[0], NULL, append, NULL, 4, 0));
    SAY(splice(ends[0], &zero, out, NULL, 4, 0));
    SAY(splice(ends[0], NULL, in, NULL, 4, 0));
    SAY(splice(ends[0], NULL, out, &zero, 4, 0));
    SAY(splice(ends[0], NULL, out, NULL, 0, 0)); /* the pipe is empty, and there is nothing to wait for */
    SAY(splice(ends[0], NULL, out, NULL, 4, SPLICE_F_NONBLOCK));
    SAY(sendfile(out, in, NULL, 0));
    SAY(sync_file_range(out, -1, 1, SYNC_FILE_RANGE_WRITE));
    SAY(sync_file_range(out, 0, -1, SYNC_FILE_RANGE_WRITE));
    SAY(sync_file_range(out, 0, 1, 64));
    SAY(sync_file_range(out, 0, 100, SYNC_FILE_RANGE_WRITE));
    SAY(pread(in, s_bad, 4, high));
    close(in);
    close(out);
    close(append);
    close(directory);
}

int main(int count, char **arguments)
{
    s_bad = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (count != 2 || chdir(arguments[1]) != 0 || s_bad == MAP_FAILED || mprotect(s_bad + 4 * 4096, 4096, PROT_NONE) != 0)
        return 1;
    s_bad += 4 * 4096;
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    if (write(fd, "some text", 9) != 9 || symlink("file", "link") != 0)
        return 1;
    close(fd);
    puts("from the first byte:");
    paths(s_bad);
    memcpy(s_bad - (sizeof s_cut - 1), s_cut, sizeof s_cut - 1);
    puts("from the middle:");
    paths(s_bad - (sizeof s_cut - 1));
    memset(s_bad - 6000, 'a', 6000);
    puts("longer than any path:");
    paths(s_bad - 6000);
    results();
    mappings();
    paths_alone();
    stacks();
    modes();
    sizes_of_open_how();
    names();
    transfers();
    return 0;
}
