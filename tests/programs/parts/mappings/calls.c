/* mmap's neighbours with raw addresses: partial munmap, MAP_FIXED over a mapping, mprotect, mremap, madvise, msync, SIGBUS. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 24 };
static sigjmp_buf s_back;
static int s_fd;

static void caught(int signal) { siglongjmp(s_back, signal); }

/* The signal that touching this byte raises; 0: none. */
static int touch(volatile char *byte, int is_writing)
{
    int signal = sigsetjmp(s_back, 1);
    if (signal == 0) {
        char value = *byte;
        if (is_writing)
            *byte = (char)(value + 1);
    }
    return signal;
}

static void put(char *page, const char *text) { strcpy(page, text); }

static void show(const char *what)
{
    static char content[PAGES * PAGE];
    long size = pread(s_fd, content, sizeof content, 0);
    printf("%s: %ld", what, size);
    for (long at = 0; at < size; at += PAGE)
        printf(" %.12s", content[at] ? content + at : ".");
    printf("\n");
}

static char *map(long page, long pages, int protection, int flags, void *where)
{
    char *result = mmap(where, (size_t)(pages * PAGE), protection, flags, s_fd, page * PAGE);
    if (result == MAP_FAILED)
        printf("mmap: %s\n", strerror(errno)), exit(1);
    return result;
}

static void said(const char *what, long result) { printf("%s: %s\n", what, result == 0 ? "ok" : strerror(errno)); }

int main(void)
{
    const int both = PROT_READ | PROT_WRITE;
    signal(SIGBUS, caught);
    signal(SIGSEGV, caught);
    s_fd = open("pages", O_RDWR | O_CREAT | O_TRUNC, 0644);
    said("size", ftruncate(s_fd, PAGES * PAGE));
    char *all = map(0, PAGES, both, MAP_SHARED, NULL);
    for (int i = 0; i < PAGES; i++)
        sprintf(all + i * PAGE, "page%d", i);
    show("whole");

    put(all + 5 * PAGE, "holed");
    said("munmap in the middle", munmap(all + 4 * PAGE, 3 * PAGE));
    /* Now: a later mapping may be put into the hole. */
    said("msync of nothing mapped", msync(all + 4 * PAGE, PAGE, MS_SYNC));
    printf("hole: %d, before %d, behind %d\n", touch(all + 5 * PAGE, 0), touch(all + 3 * PAGE, 0), touch(all + 7 * PAGE, 0));
    put(all + 3 * PAGE, "before");
    put(all + 7 * PAGE, "behind");
    show("holed");
    said("munmap of nothing", munmap(all + 4 * PAGE, PAGE));
    said("munmap inside a page", munmap(all + 1, PAGE));

    put(all + 8 * PAGE, "covered");
    char *over = mmap(all + 8 * PAGE, 2 * PAGE, both, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    put(over, "anonymous");
    show("anonymous over it");
    map(20, 1, both, MAP_SHARED | MAP_FIXED, all + 9 * PAGE);
    put(all + 9 * PAGE, "twenty");
    show("another page over that");
    char *secret = map(10, 1, both, MAP_PRIVATE | MAP_FIXED, all + 10 * PAGE);
    put(secret, "private");
    show("private over it");

    char *locked = map(11, 2, PROT_READ, MAP_SHARED, NULL);
    printf("write to a read-only mapping: %d\n", touch(locked, 1));
    said("mprotect", mprotect(locked, PAGE, both));
    put(locked, "unlocked");
    printf("its second page: %d\n", touch(locked + PAGE, 1));
    show("made writable");
    int reader = open("pages", O_RDONLY);
    char *still = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    said("mprotect without the right", mprotect(still, PAGE, both));
    close(reader);

    char *moving = map(13, 2, both, MAP_SHARED, NULL);
    put(moving, "moving");
    moving = mremap(moving, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    put(moving + 3 * PAGE, "grown");
    show("mremap");
    moving = mremap(moving, 4 * PAGE, PAGE, 0);
    put(moving, "shrunk");
    char *place = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    moving = mremap(moving, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    put(moving + PAGE, "placed");
    char *twice = mremap(moving, 0, PAGE, MREMAP_MAYMOVE);
    printf("second mapping: %s\n", twice == MAP_FAILED ? strerror(errno) : twice);
    put(twice, "twice");
    said("munmap", munmap(moving, 2 * PAGE));
    put(twice + 100, "still there");
    show("moved");

    said("msync", msync(all, 3 * PAGE, MS_SYNC));
    said("msync with both flags", msync(all, PAGE, MS_SYNC | MS_ASYNC));
    said("msync inside a page", msync(all + 1, PAGE, MS_ASYNC));
    said("MS_ASYNC", msync(all, PAGE, MS_ASYNC));
    put(all, "advised");
    said("MADV_DONTNEED", madvise(all, PAGE, MADV_DONTNEED));
    printf("%s\n", all);
    said("MADV_WILLNEED", madvise(all, PAGES, MADV_WILLNEED));
    said("MADV_SEQUENTIAL", madvise(all, 3 * PAGE, MADV_SEQUENTIAL));
    said("MADV_REMOVE", madvise(all + 2 * PAGE, PAGE, MADV_REMOVE));
    printf("removed: %d\n", all[2 * PAGE]);
    said("mlock", mlock(all, PAGE));
    said("munlock", munlock(all, PAGE));
    char *eager = map(1, 2, both, MAP_SHARED | MAP_POPULATE | MAP_NORESERVE, NULL);
    put(eager, "eager");
    show("advised");

    /* Behind the end: SIGBUS from the first page on that has no byte of the file. */
    char *end = map(21, 3, both, MAP_SHARED, NULL);
    said("cut", ftruncate(s_fd, 22 * PAGE + 100));
    printf("first %d, last %d, behind it %d, written %d\n", touch(end, 1), touch(end + PAGE + 99, 0), touch(end + PAGE + 200, 1),
           touch(end + 2 * PAGE, 1));
    said("grown", ftruncate(s_fd, 24 * PAGE));
    printf("behind it %d, cut zeros %d %d\n", touch(end + 2 * PAGE, 1), end[PAGE + 200], end[PAGE + 100]);
    char *far = map(30, 1, PROT_READ, MAP_SHARED, NULL);
    printf("far behind: %d\n", touch(far, 0));
    show("end");

    pid_t child = fork();
    if (child == 0) {
        put(all + PAGE, "child");
        munmap(all, PAGES * PAGE);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("%s\n", all + PAGE);
    put(all + PAGE, "parent");
    show("after the child");
    close(s_fd);
    put(all + 3 * PAGE, "closed");
    s_fd = open("pages", O_RDONLY);
    show("opened again");
    return 0;
}
