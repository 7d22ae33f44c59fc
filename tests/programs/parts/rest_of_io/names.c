/* names DIRECTORY: files without a name, by handle, by /proc/self/fd, by O_PATH; renames of every kind; openat2. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "say.h"

static const char *proc(int fd)
{
    static char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static void content(const char *what, int fd)
{
    char text[200] = "";
    long count = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    struct stat status = {0};
    fstat(fd, &status);
    printf("%s: %ld %s, size %ld, links %ld, mode %o\n", what, count, text, (long)status.st_size, (long)status.st_nlink, status.st_mode);
}

static void content_of(const char *path)
{
    int fd = open(path, O_RDONLY);
    content(path, fd);
    close(fd);
}

static void make(const char *path, const char *text)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (write(fd, text, strlen(text)) < 0)
        perror(path);
    close(fd);
}

static void without_names(void)
{
    int fd = OPENED(open(".", O_TMPFILE | O_RDWR, 0640));
    SAY(write(fd, getenv("MARKER"), strlen(getenv("MARKER"))));
    content("unnamed", fd);
    SAY(linkat(fd, "", AT_FDCWD, "by_descriptor", AT_EMPTY_PATH));
    SAY(linkat(AT_FDCWD, proc(fd), AT_FDCWD, "by_proc", AT_SYMLINK_FOLLOW));
    SAY(write(fd, " more", 5));
    content_of("by_descriptor");
    content_of("by_proc");
    int sealed = OPENED(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640));
    SAY(write(sealed, "stays unnamed", 13));
    SAY(linkat(AT_FDCWD, proc(sealed), AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
    int writer = OPENED(open(".", O_TMPFILE | O_WRONLY, 0200));
    SAY(write(writer, "only written", 12));
    SAY(fchmod(writer, 0600));
    SAY(linkat(AT_FDCWD, proc(writer), AT_FDCWD, "written", AT_SYMLINK_FOLLOW));
    content_of("written");
    OPENED(open(".", O_TMPFILE | O_RDONLY, 0600));
    close(fd);
    close(sealed);
    close(writer);
}

static void again(void)
{
    char target[4096];
    make("again", "to be opened again");
    int reader = open("again", O_RDONLY), writer = OPENED(open(proc(reader), O_WRONLY)), both = OPENED(open(proc(writer), O_RDWR | O_APPEND));
    SAY(write(writer, "TO", 2));
    SAY(write(both, "!", 1));
    SAY(write(reader, "no", 2));
    content("reader", reader);
    long length = readlink(proc(reader), target, sizeof target);
    printf("its name: %.*s\n", length > 6 ? 6 : (int)length, target + length - 6 + (length > 6 ? 0 : 0));
    SAY(unlink("again"));
    length = readlink(proc(reader), target, sizeof target);
    printf("deleted: %.*s\n", 15, target + length - 15);
    int gone = OPENED(open(proc(reader), O_RDWR));
    SAY(pwrite(gone, "GONE", 4, 3));
    content("gone", gone);
    SAY(linkat(AT_FDCWD, proc(gone), AT_FDCWD, "resurrected", AT_SYMLINK_FOLLOW));
    int cut = OPENED(open(proc(reader), O_RDWR | O_TRUNC));
    content("cut", cut);
    SAY(write(cut, "new", 3));
    content("reader", reader);
    close(reader), close(writer), close(both), close(gone), close(cut);
}

static void by_path_only(void)
{
    char text[20];
    struct stat status;
    make("path", "behind a path");
    int path = OPENED(open("path", O_PATH)), folder = OPENED(open(".", O_PATH | O_DIRECTORY));
    SAY(read(path, text, 5));
    SAY(write(path, text, 5));
    SAY(ftruncate(path, 0));
    SAY(fsync(path));
    SAY(fstat(path, &status));
    printf("size %ld, mode %o\n", (long)status.st_size, status.st_mode);
    SAY(fchmod(path, 0600));
    SAY(fcntl(path, F_GETFL) == (O_PATH | 0100000) || fcntl(path, F_GETFL) == O_PATH);
    int real = OPENED(open(proc(path), O_RDWR));
    SAY(write(real, "BEHIND", 6));
    content("reopened", real);
    int inside = OPENED(openat(folder, "path", O_RDWR));
    content("in the folder", inside);
    int made = OPENED(openat(folder, "made", O_RDWR | O_CREAT, 0600));
    SAY(write(made, getenv("MARKER"), 5));
    SAY(fchmodat(AT_FDCWD, proc(path), 0604, 0));
    SAY(fstatat(path, "", &status, AT_EMPTY_PATH));
    printf("size %ld, mode %o\n", (long)status.st_size, status.st_mode);
    SAY(dup2(path, 400));
    SAY(fcntl(path, F_DUPFD, 401));
    close(path), close(folder), close(real), close(inside), close(made), close(400), close(401);
}

static void by_handle(void)
{
    struct {
        struct file_handle head;
        unsigned char bytes[128];
    } handle = {.head.handle_bytes = 128};
    int mount;
    make("handle", "by handle");
    SAY(name_to_handle_at(AT_FDCWD, "handle", &handle.head, &mount, 0));
    int folder = open(".", O_RDONLY), fd = OPENED(open_by_handle_at(folder, &handle.head, O_RDWR));
    content("by handle", fd);
    SAY(pwrite(fd, "BY", 2, 0));
    close(fd);
    content_of("handle");
    fd = OPENED(open_by_handle_at(folder, &handle.head, O_RDWR | O_TRUNC));
    content("cut by handle", fd);
    SAY(write(fd, getenv("MARKER"), 5));
    close(fd);
    content_of("handle");
    fd = OPENED(open_by_handle_at(folder, &handle.head, O_WRONLY | O_APPEND));
    SAY(write(fd, " end", 4));
    close(fd), close(folder);
    content_of("handle");
}

static void renames(void)
{
    struct stat status;
    make("a", "first");
    make("b", "second, longer");
    SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
    SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
    content_of("a");
    content_of("b");
    SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_WHITEOUT));
    SAY(lstat("a", &status));
    printf("a whiteout: %d, %u\n", S_ISCHR(status.st_mode), (unsigned)status.st_rdev);
    content_of("c");
    SAY(renameat2(AT_FDCWD, "c", AT_FDCWD, "d", RENAME_NOREPLACE | RENAME_EXCHANGE));
    SAY(renameat2(AT_FDCWD, "c", AT_FDCWD, "d", 0x80));
    SAY(renameat2(AT_FDCWD, "c", AT_FDCWD, "missing/d", 0));
    mkdir("folder", 0700);
    SAY(renameat2(AT_FDCWD, "c", AT_FDCWD, "folder", RENAME_EXCHANGE));
    SAY(stat("c", &status));
    printf("a folder now: %d\n", S_ISDIR(status.st_mode));
    content_of("folder");
    SAY(unlink("a"));
    SAY(rmdir("c"));
}

static long openat2(int folder, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {flags, mode, resolve};
    return syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static void resolving(void)
{
    mkdir("tree", 0700);
    make("tree/file", "in a tree");
    make("above", "above it");
    if (symlink("file", "tree/link") != 0 || symlink("../above", "tree/out") != 0 || symlink("/etc/hostname", "tree/absolute") != 0)
        perror("symlink");
    int tree = open("tree", O_PATH | O_DIRECTORY);
    content("beneath", OPENED(openat2(tree, "link", O_RDWR, 0, RESOLVE_BENEATH)));
    content("made", OPENED(openat2(tree, "made", O_RDWR | O_CREAT, 0600, RESOLVE_BENEATH)));
    content("in root", OPENED(openat2(tree, "/file", O_RDWR, 0, RESOLVE_IN_ROOT)));
    content("cut", OPENED(openat2(tree, "/file", O_RDWR | O_TRUNC, 0, RESOLVE_IN_ROOT)));
    int made = OPENED(openat2(tree, "/../../new", O_RDWR | O_CREAT, 0600, RESOLVE_IN_ROOT));
    SAY(write(made, getenv("MARKER"), strlen(getenv("MARKER"))));
    content_of("tree/new");
    OPENED(openat2(tree, "out", O_RDONLY, 0, RESOLVE_BENEATH));
    OPENED(openat2(tree, "out", O_RDONLY, 0, RESOLVE_IN_ROOT));
    OPENED(openat2(tree, "absolute", O_RDONLY, 0, RESOLVE_BENEATH));
    OPENED(openat2(tree, "link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
    OPENED(openat2(tree, "file", O_RDONLY, 0, RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS));
    OPENED(openat2(tree, "../above", O_RDONLY, 0, RESOLVE_NO_XDEV));
    OPENED(openat2(AT_FDCWD, proc(made), O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
    OPENED(openat2(tree, "file", O_RDONLY, 0, RESOLVE_CACHED));
    OPENED(openat2(tree, "file", O_RDONLY, 0600, 0));
    OPENED(openat2(tree, "file", O_RDONLY, 0, 0x1000));
    OPENED(openat2(tree, "file", O_PATH | O_RDWR, 0, 0));
    OPENED(openat2(tree, "file", O_TMPFILE | O_RDWR, 0600, 0));
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    umask(022);
    without_names();
    again();
    by_path_only();
    by_handle();
    renames();
    resolving();
    return 0;
}
