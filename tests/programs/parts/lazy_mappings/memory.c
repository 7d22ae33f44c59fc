/* Loads and stores, and what changes a mapping. Prints what it finds: the same as on a plain file. */
#include "common.h"

static char *s_map;

static void *walk(void *argument)
{
    long seed = (long)argument, wrong = 0;
    for (int i = 0; i < 4000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        long at = (long)((uint64_t)seed >> 20) % (SIZE - 8) & -8L;
        wrong += (at < PATH_AT - 8 || at > PATH_AT + 18) && !is_right(s_map, at);
    }
    return (void *)wrong;
}

static void threads(void)
{
    pthread_t thread[4];
    void *wrong;
    s_map = map_file("big", PROT_READ);
    for (long i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, walk, (void *)(i + 1)) == 0);
    for (int i = 0; i < 4; i++, printf("threads: %ld wrong\n", (long)wrong))
        pthread_join(thread[i], &wrong);
    long sum = 0;
    for (long i = 0; i < SIZE; i++)
        sum = sum * 31 + s_map[i];
    printf("sum %lx, behind the end %d\n", sum, s_map[SIZE] | s_map[SIZE + 2000]);
    CHECK(munmap(s_map, SIZE) == 0);
}

static void stores(void)
{
    char *map = map_file("big", PROT_READ | PROT_WRITE);
    for (long at = 100; at < SIZE; at += MIB)
        map[at] = 'S';
    int fd = open("big", O_RDONLY), kept = 0, in_file = 0;
    char byte;
    for (long at = 100; at < SIZE; at += MIB) {
        kept += map[at] == 'S' && is_right(map, at + 4);
        in_file += pread(fd, &byte, 1, at) == 1 && byte == 'S';
    }
    printf("stored %d, in the file %d\n", kept, in_file);
    CHECK(madvise(map, 8 * MIB, MADV_DONTNEED) == 0);
    printf("dropped: %d %d %d\n", is_right(map, 96), is_right(map, 3 * MIB), map[9 * MIB + 100] == 'S');
    CHECK(munmap(map, SIZE) == 0);
}

static void protections(void)
{
    char *map = map_file("big", PROT_READ | PROT_WRITE);
    catch_faults();
    CHECK(mprotect(map + 4 * MIB, 4 * MIB, PROT_READ) == 0);
    CHECK(mprotect(map + 6 * MIB, MIB, PROT_NONE) == 0);
    CHECK(mprotect(map + 40 * MIB, 4096, PROT_NONE) == 0);
    printf("rw %d %d", touch(map + 3 * MIB, 0), touch(map + 3 * MIB + 1, 1));
    printf(" r %d %d", touch(map + 5 * MIB, 0), touch(map + 5 * MIB + 1, 1));
    printf(" none %d %d %d", touch(map + 6 * MIB, 0), touch(map + 7 * MIB - 1, 1), touch(map + 40 * MIB + 7, 0));
    printf(" around %d %d %d\n", touch(map + 40 * MIB - 1, 1), touch(map + 40 * MIB + 4096, 1), is_right(map, 40 * MIB + 4104));
    CHECK(mprotect(map, 48 * MIB, PROT_READ | PROT_WRITE) == 0);
    printf("again %d %d %d %d\n", touch(map + 6 * MIB, 1), touch(map + 5 * MIB, 1), is_right(map, 6 * MIB + 8), is_right(map, 40 * MIB + 8));
    CHECK(mprotect(map, SIZE, PROT_READ) == 0);
    printf("stored before %d, then %d %d\n", map[6 * MIB], touch(map + 6 * MIB, 1), touch(map + 30 * MIB, 1));
    printf("wrong: %d", mprotect(map + 1, 4096, PROT_READ));
    printf(" %d\n", mprotect(map, 4096, 0x70));
    CHECK(munmap(map, SIZE) == 0);
}

static void in_parts(void)
{
    char *map = map_file("big", PROT_READ);
    catch_faults();
    CHECK(munmap(map + 10 * MIB, 5 * MIB) == 0);
    printf("parts %d %d", is_right(map, 10 * MIB - 8), is_right(map, 15 * MIB));
    printf(" between %d %d\n", touch(map + 10 * MIB, 0), touch(map + 15 * MIB - 1, 0));
    char *over = mmap(map + 4 * MIB, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(over == map + 4 * MIB);
    printf("over %d %d", map[4 * MIB], map[6 * MIB - 1]);
    int fd = open("big", O_RDONLY);
    CHECK(mmap(map + 24 * MIB, 20 * MIB, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, MIB) == map + 24 * MIB);
    printf(" file %d %d %d\n", *(uint64_t *)(map + 24 * MIB) == word_at(MIB), *(uint64_t *)(map + 43 * MIB) == word_at(20 * MIB), is_right(map, 45 * MIB));
    printf("not over %d %d\n", mmap(map, MIB, PROT_READ, MAP_PRIVATE | MAP_FIXED, 999, 0) == MAP_FAILED, is_right(map, 4096));
    close(fd);
    CHECK(munmap(map, SIZE) == 0);
    printf("gone %d %d\n", touch(map, 0), touch(map + 16 * MIB, 0));
}

static void moved(void)
{
    char *map = map_file("big", PROT_READ | PROT_WRITE);
    map[MIB] = map[30 * MIB] = 'm';
    map = mremap(map, SIZE, 40 * MIB, 0);
    CHECK(map != MAP_FAILED);
    char *wall = mmap(map + 40 * MIB, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(wall == map + 40 * MIB);
    printf("no room %d\n", mremap(map, 40 * MIB, 44 * MIB, 0) == MAP_FAILED && errno == ENOMEM);
    char *other = mremap(map, 40 * MIB, 47 * MIB, MREMAP_MAYMOVE);
    CHECK(other != MAP_FAILED && other != map);
    printf("moved %d %d %d %d %d\n", other[MIB], other[30 * MIB], is_right(other, 2 * MIB), is_right(other, 39 * MIB), is_right(other, 46 * MIB));
    char *room = mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(mremap(other, 10 * MIB, 10 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, room + 8 * MIB) == room + 8 * MIB);
    printf("placed %d %d, left %d %d\n", room[9 * MIB], is_right(room + 8 * MIB, 9 * MIB), other[30 * MIB], is_right(other, 11 * MIB));
    catch_faults();
    printf("old %d\n", touch(other + 5 * MIB, 0));
    munmap(other, 47 * MIB), munmap(room, 64 * MIB), munmap(wall, 4096);
}

static void child_of(void *argument)
{
    char *map = argument;
    int right = 0;
    for (long at = 0; at < SIZE - 8; at += MIB)
        right += is_right(map, at);
    map[5 * MIB] = 'c';
    printf("child: %d right, sees %c\n", right, map[3 * MIB + 1]);
    printf("grandchild: %d\n", status_of(NULL, NULL) == SIGSEGV);
}

static void forks(void)
{
    char *map = map_file("big", PROT_READ | PROT_WRITE);
    signal(SIGSEGV, SIG_DFL);
    map[3 * MIB + 1] = 'p';
    printf("status %d\n", status_of(child_of, map));
    int right = 0;
    for (long at = 0; at < SIZE - 8; at += MIB)
        right += is_right(map, at);
    printf("parent: %d right\n", right);
    CHECK(munmap(map, SIZE) == 0);
}

static void cut(void)
{
    make("cut");
    char *map = map_file("cut", PROT_READ);
    catch_faults();
    printf("before %d %d\n", is_right(map, 2 * MIB), touch(map + SIZE, 0));
    CHECK(truncate("cut", 30 * MIB + 100) == 0);
    printf("cut %d %d %d\n", touch(map + 29 * MIB, 0), touch(map + 31 * MIB, 0), touch(map + 47 * MIB, 0));
    CHECK(unlink("cut") == 0);
    printf("unlinked %d %d\n", is_right(map, 7 * MIB), is_right(map, 29 * MIB + 8));
    CHECK(munmap(map, SIZE) == 0);
    int fd = open("grown", O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(fd, 20 * MIB) == 0);
    map = mmap(NULL, 40 * MIB, PROT_READ, MAP_PRIVATE, fd, 0);
    printf("behind the end %d", touch(map + 25 * MIB, 0));
    CHECK(pwrite(fd, "later", 5, 25 * MIB) == 5);
    printf(" then %d %.5s\n", touch(map + 25 * MIB, 0), map + 25 * MIB);
    CHECK(close(fd) == 0 && munmap(map, 40 * MIB) == 0 && unlink("grown") == 0);
}

static void limits(void)
{
    struct rlimit small = {MIB, RLIM_INFINITY};
    char *before = map_file("big", PROT_READ);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    char *after = map_file("big", PROT_READ);
    printf("file size limit %d %d\n", is_right(before, 17 * MIB), is_right(after, 17 * MIB));
    CHECK(munmap(before, SIZE) == 0);
    printf("locked %d %d\n", mlock(after + 31 * MIB, 4 * MIB), is_right(after, 32 * MIB));
    char state[1024];
    printf("mincore %d msync %d", mincore(after, 4 * MIB, (void *)state), msync(after, 4 * MIB, MS_SYNC));
    printf(" madvise %d %d\n", madvise(after, SIZE, MADV_WILLNEED), madvise(after, SIZE, MADV_SEQUENTIAL));
}

int main(void)
{
    make("big");
    threads(), stores(), protections(), in_parts(), moved(), forks(), cut(), limits();
    return 0;
}
