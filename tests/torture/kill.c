/*
 * kill DIRECTORY STATE: workers write in DIRECTORY and are killed with SIGKILL at random instants; after each kill a fresh
 * process finds everything as acknowledged, or as the call in flight would have left it. What was acknowledged lies in STATE, a
 * file outside of the volume that all map.
 * Environment: TORTURE_SEED, TORTURE_KILLS, TORTURE_BLOCK (bytes), TORTURE_AGENT (a volume whose agent is killed too).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

#define WORKERS 3
#define SLOTS 1200         /* of the common file, dealt out in turn: most blocks belong to several workers */
#define SLOT_SIZE 1000
#define TARGETS 6          /* files that are renamed over */
#define SMALL_FILES 40
#define LOG_RECORDS 65536  /* of one worker between two full stops */
#define LOG_MAGIC 0x7E57106Cu
#define BYSTANDERS 5

enum { ABSENT, BEING_MADE, PRESENT, BEING_REMOVED };
enum { NEVER, PENDING, ACKNOWLEDGED };

struct pair {
    uint64_t old_tag, new_tag; /* different while a change is in flight */
};

struct worker {
    struct model model;
    struct pair slots[SLOTS], targets[TARGETS];
    struct {
        int state;
        uint64_t tag;
    } small[SMALL_FILES];
    uint32_t next_record;
    uint8_t records[LOG_RECORDS];
    int is_ready;
    uint64_t lives, actions;
};

struct state {
    struct worker workers[WORKERS];
};

struct log_header {
    uint32_t magic, worker, number, length;
};

static struct state *s_state;
static const char *s_directory, *s_program, *s_state_path;
static uint64_t s_block;

static const char *name_of(const char *format, int a, int b)
{
    static char s_names[4][4096];
    static int s_next;
    char *name = s_names[s_next++ % 4];
    int start = snprintf(name, sizeof s_names[0], "%s/", s_directory);
    snprintf(name + start, sizeof s_names[0] - (size_t)start, format, a, b);
    return name;
}

/* A whole small file: its size is told by its tag. */
static uint64_t size_of(uint64_t tag, uint64_t limit)
{
    struct random random = {tag};
    return skewed(&random, limit);
}

static uint64_t length_of_target(uint64_t tag) { return size_of(tag, 100000); }
static uint64_t length_of_small(uint64_t tag) { return size_of(tag, 3500); }

/* ---- the worker ---- */

static void write_slot(struct worker *me, int self, struct random *random, int common)
{
    int slot = (int)below(random, SLOTS / WORKERS) * WORKERS + self;
    unsigned char bytes[SLOT_SIZE];
    struct pair *pair = &me->slots[slot];
    pair->new_tag = draw(random);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    fill(bytes, sizeof bytes, pair->new_tag, 0);
    pwrite_all(common, bytes, sizeof bytes, (uint64_t)slot * SLOT_SIZE);
    __atomic_store_n(&pair->old_tag, pair->new_tag, __ATOMIC_SEQ_CST);
}

static void append_record(struct worker *me, int self, struct random *random, int log)
{
    static unsigned char record[sizeof(struct log_header) + 70000];
    if (me->next_record >= LOG_RECORDS)
        return;
    struct log_header header = {LOG_MAGIC, (uint32_t)self, me->next_record, (uint32_t)skewed(random, 70000)};
    memcpy(record, &header, sizeof header);
    fill(record + sizeof header, header.length, header.worker * 0x100000007ULL + header.number, 0);
    me->records[header.number] = PENDING;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    me->next_record++;
    write_all(log, record, sizeof header + header.length);
    __atomic_store_n(&me->records[header.number], ACKNOWLEDGED, __ATOMIC_SEQ_CST);
}

static void replace_target(struct worker *me, int self, struct random *random)
{
    int index = (int)below(random, TARGETS);
    struct pair *pair = &me->targets[index];
    const char *target = name_of("target.%d.%d", self, index), *temporary = name_of("temporary.%d.%d", self, index);
    pair->new_tag = draw(random);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint64_t length = length_of_target(pair->new_tag), first = below(random, length + 1);
    unsigned char *bytes = malloc(length);
    fill(bytes, length, pair->new_tag, 0);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(fd >= 0);
    write_all(fd, bytes, first);
    write_all(fd, bytes + first, length - first);
    if (chance(random, 20))
        must(fsync(fd) == 0);
    must(close(fd) == 0);
    must(rename(temporary, target) == 0);
    __atomic_store_n(&pair->old_tag, pair->new_tag, __ATOMIC_SEQ_CST);
    free(bytes);
}

static void make_or_remove(struct worker *me, int self, struct random *random)
{
    int index = (int)below(random, SMALL_FILES);
    const char *path = name_of("small.%d.%d", self, index);
    if (me->small[index].state == PRESENT) {
        me->small[index].state = BEING_REMOVED;
        must(unlink(path) == 0);
        __atomic_store_n(&me->small[index].state, ABSENT, __ATOMIC_SEQ_CST);
        return;
    }
    me->small[index].tag = draw(random);
    me->small[index].state = BEING_MADE;
    unsigned char bytes[4096];
    uint64_t length = length_of_small(me->small[index].tag);
    fill(bytes, length, me->small[index].tag, 0);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(fd >= 0);
    write_all(fd, bytes, length);
    must(close(fd) == 0);
    __atomic_store_n(&me->small[index].state, PRESENT, __ATOMIC_SEQ_CST);
}

static void verify_worker(int self);

static int work(int self, uint64_t seed)
{
    static const uint64_t limits[] = {3000, 3000, 20000, 200000, MODEL_LIMIT};
    struct worker *me = &s_state->workers[self];
    struct random random = {seed};
    verify_worker(self);
    struct model_file file = {0};
    model_open(&file, name_of("model.%d", self, 0));
    int common = open(name_of("common", 0, 0), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int log = open(name_of("log", 0, 0), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    must(common >= 0 && log >= 0);
    __atomic_store_n(&me->is_ready, 1, __ATOMIC_SEQ_CST);
    uint64_t limit = limits[below(&random, 5)];
    for (;; me->actions++) {
        if (chance(&random, 3))
            limit = limits[below(&random, 5)];
        if (me->model.size > limit)
            model_run(&me->model, &file, (struct step){.kind = STEP_TRUNCATE, .length = below(&random, limit)});
        unsigned what = (unsigned)below(&random, 100);
        if (what < 60)
            model_run(&me->model, &file, model_draw(&me->model, &random, limit));
        else if (what < 75)
            write_slot(me, self, &random, common);
        else if (what < 80)
            append_record(me, self, &random, log);
        else if (what < 90)
            replace_target(me, self, &random);
        else
            make_or_remove(me, self, &random);
    }
}

/* ---- what must be found ---- */

static unsigned char *read_file(const char *path, uint64_t limit, uint64_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            fail("%s cannot be opened: %m", path);
        return NULL;
    }
    unsigned char *bytes = malloc(limit + 1);
    // Other workers may make the file longer while it is read: what was read lies between what the two tell.
    struct stat before, after;
    must(fstat(fd, &before) == 0);
    *size = pread_all(fd, bytes, limit + 1, 0);
    must(fstat(fd, &after) == 0);
    if (*size <= limit && (*size < (uint64_t)before.st_size || *size > (uint64_t)after.st_size))
        fail("%s: fstat tells %llu bytes, then %llu; reading gives %llu", path, (unsigned long long)before.st_size,
             (unsigned long long)after.st_size, (unsigned long long)*size);
    close(fd);
    return bytes;
}

static bool is_slot(const unsigned char *found, uint64_t from, uint64_t count, uint64_t tag)
{
    static const unsigned char zeros[SLOT_SIZE];
    return tag == 0 ? memcmp(found, zeros, count) == 0 : check(found, count, tag, from) == count;
}

static void verify_slots(struct worker *me, int self)
{
    uint64_t size = 0;
    unsigned char *bytes = calloc(1, SLOTS * SLOT_SIZE), *found = read_file(name_of("common", 0, 0), SLOTS * SLOT_SIZE, &size);
    if (found != NULL)
        memcpy(bytes, found, size);
    for (int slot = self; slot < SLOTS; slot += WORKERS) {
        struct pair *pair = &me->slots[slot];
        uint64_t start = (uint64_t)slot * SLOT_SIZE, end = start + SLOT_SIZE;
        bool is_old = true, is_new = true;
        for (uint64_t at = start; at < end;) {
            uint64_t stop = (at / s_block + 1) * s_block < end ? (at / s_block + 1) * s_block : end;
            bool old_here = is_slot(bytes + at, at - start, stop - at, pair->old_tag);
            bool new_here = is_slot(bytes + at, at - start, stop - at, pair->new_tag);
            if (!old_here && !new_here)
                fail("common: slot %d is neither old nor new in %llu..%llu", slot, (unsigned long long)at, (unsigned long long)stop);
            is_old &= old_here;
            is_new &= new_here;
            at = stop;
        }
        // A slot that lies in two blocks may be half old: write it anew, so that it is known again.
        if (!is_old && !is_new) {
            int fd = open(name_of("common", 0, 0), O_RDWR | O_CLOEXEC);
            must(fd >= 0);
            fill(bytes, SLOT_SIZE, pair->new_tag, 0);
            pwrite_all(fd, bytes, SLOT_SIZE, start);
            close(fd);
            is_new = true;
        }
        pair->old_tag = pair->new_tag = is_new ? pair->new_tag : pair->old_tag;
    }
    free(found);
    free(bytes);
}

static void verify_targets(struct worker *me, int self)
{
    for (int index = 0; index < TARGETS; index++) {
        struct pair *pair = &me->targets[index];
        const char *target = name_of("target.%d.%d", self, index), *temporary = name_of("temporary.%d.%d", self, index);
        uint64_t size = 0, part = 0;
        unsigned char *found = read_file(target, 100000, &size);
        if (found == NULL ? pair->old_tag != 0 : false)
            fail("%s is gone", target);
        bool is_new = found != NULL && size == length_of_target(pair->new_tag) && check(found, size, pair->new_tag, 0) == size;
        bool is_old = found == NULL || (size == length_of_target(pair->old_tag) && check(found, size, pair->old_tag, 0) == size);
        if (!is_new && !is_old)
            fail("%s: %llu bytes, neither the old file nor the new one", target, (unsigned long long)size);
        free(found);
        found = read_file(temporary, 100000, &part);
        if (found != NULL && check(found, part, pair->new_tag, 0) != part)
            fail("%s: %llu bytes, not a beginning of the new file", temporary, (unsigned long long)part);
        free(found);
        if (found != NULL)
            must(unlink(temporary) == 0);
        pair->old_tag = pair->new_tag = is_new ? pair->new_tag : pair->old_tag;
    }
}

static void verify_small(struct worker *me, int self)
{
    for (int index = 0; index < SMALL_FILES; index++) {
        const char *path = name_of("small.%d.%d", self, index);
        int state = me->small[index].state;
        uint64_t size = 0, wanted = length_of_small(me->small[index].tag);
        unsigned char *found = read_file(path, 4096, &size);
        bool is_whole = found != NULL && size == wanted && check(found, size, me->small[index].tag, 0) == size;
        bool is_right = state == ABSENT ? found == NULL
                        : state == PRESENT ? is_whole
                        : state == BEING_REMOVED ? found == NULL || is_whole
                                                 : found == NULL || size == 0 || is_whole;
        if (!is_right)
            fail("%s: %llu bytes of %llu in state %d", path, (unsigned long long)size, (unsigned long long)wanted, state);
        if (found != NULL && !is_whole)
            must(unlink(path) == 0);
        me->small[index].state = is_whole ? PRESENT : ABSENT;
        free(found);
    }
}

static void verify_worker(int self)
{
    struct worker *me = &s_state->workers[self];
    model_verify(&me->model, name_of("model.%d", self, 0), s_block);
    verify_slots(me, self);
    verify_targets(me, self);
    verify_small(me, self);
    me->lives++;
}

/* Each worker's records in order, each once, those acknowledged surely; a killed append may be there in part, never anybody else's. */
static void verify_log(void)
{
    const uint64_t limit = 256 << 20;
    uint64_t size = 0;
    unsigned char *bytes = read_file(name_of("log", 0, 0), limit, &size);
    static uint8_t found[WORKERS][LOG_RECORDS];
    memset(found, 0, sizeof found);
    uint32_t next[WORKERS] = {0};
    for (uint64_t at = 0; at < size;) {
        struct log_header header = {0};
        memcpy(&header, bytes + at, size - at < sizeof header ? size - at : sizeof header);
        if (header.magic != LOG_MAGIC || header.worker >= WORKERS || header.number >= LOG_RECORDS)
            fail("log: no record begins at %llu of %llu", (unsigned long long)at, (unsigned long long)size);
        struct worker *owner = &s_state->workers[header.worker];
        uint64_t start = at + sizeof header, here = header.length < size - start ? header.length : size - start;
        uint64_t right = check(bytes + start, here, header.worker * 0x100000007ULL + header.number, 0);
        if (header.number < next[header.worker] || owner->records[header.number] == NEVER)
            fail("log: record %u of worker %u comes twice or from nowhere", header.number, header.worker);
        if (right < header.length && owner->records[header.number] != PENDING)
            fail("log: acknowledged record %u of worker %u is wrong from byte %llu", header.number, header.worker, (unsigned long long)right);
        next[header.worker] = header.number + 1;
        found[header.worker][header.number] = 1;
        at = start + right;
    }
    for (int self = 0; self < WORKERS; self++) {
        struct worker *owner = &s_state->workers[self];
        for (uint32_t number = 0; number < owner->next_record; number++)
            if (owner->records[number] == ACKNOWLEDGED && !found[self][number])
                fail("log: record %u of worker %d is lost", number, self);
        memset(owner->records, NEVER, sizeof owner->records);
        owner->next_record = 0;
    }
    if (bytes != NULL)
        must(truncate(name_of("log", 0, 0), 0) == 0);
    free(bytes);
}

/* Files that nobody touches. */
static void bystanders(bool is_making)
{
    for (int i = 0; i < BYSTANDERS; i++) {
        const char *path = name_of("bystander.%d", i, 0);
        uint64_t length = (uint64_t)i * i * 30000 + 10, size = 0, tag = 77 + (uint64_t)i;
        if (is_making) {
            unsigned char *bytes = malloc(length);
            fill(bytes, length, tag, 0);
            int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
            must(fd >= 0);
            write_all(fd, bytes, length);
            must(close(fd) == 0);
            free(bytes);
            continue;
        }
        unsigned char *bytes = read_file(path, length, &size);
        if (bytes == NULL || size != length || check(bytes, size, tag, 0) != size)
            fail("%s has changed", path);
        free(bytes);
    }
}

static int verify_all(void)
{
    for (int self = 0; self < WORKERS; self++)
        verify_worker(self);
    verify_log();
    bystanders(false);
    return 0;
}

/* ---- the driver ---- */

static pid_t start(const char *role, int self, uint64_t seed)
{
    char number[16], text[32];
    snprintf(number, sizeof number, "%d", self);
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    if (self >= 0)
        s_state->workers[self].is_ready = 0;
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        execl(s_program, s_program, s_directory, s_state_path, role, number, text, NULL);
        fail("exec: %m");
    }
    return child;
}

static void verify_in_fresh_process(void)
{
    int status;
    pid_t child = start("verify", -1, 0);
    must(waitpid(child, &status, 0) == child);
    if (status != 0)
        fail("verification ended with status %x", status);
    beat();
}

static void reap_killed(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    must(waitpid(child, &status, 0) == child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail("a worker ended by itself with status %x", status);
}

/* The agent that the shim started for our volume, told by its command line. */
static int kill_agent(const char *volume)
{
    int killed = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        char path[300], line[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
        if (fd < 0)
            continue;
        ssize_t length = read(fd, line, sizeof line - 1);
        close(fd);
        if (length <= 0)
            continue;
        line[length] = 0;
        bool is_agent = strcmp(line, "overlay-ctl") == 0 && memmem(line, (size_t)length, "\0agent\0", 7) != NULL;
        if (is_agent && memmem(line, (size_t)length, volume, strlen(volume) + 1) != NULL)
            killed += kill(atoi(entry->d_name), SIGKILL) == 0;
    }
    if (proc != NULL)
        closedir(proc);
    return killed;
}

static void wait_for(struct worker *worker, pid_t child)
{
    for (int i = 0; i < 60000 && !__atomic_load_n(&worker->is_ready, __ATOMIC_SEQ_CST); i++) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child)
            fail("a worker ended by itself with status %x", status);
        usleep(1000);
    }
    if (!worker->is_ready)
        fail("a worker makes no progress");
}

static int drive(void)
{
    const char *volume = getenv("TORTURE_AGENT");
    uint64_t kills = setting("TORTURE_KILLS", 200), killed = 0, agents = 0, stops = 0;
    struct random random = {torture_seed};
    pid_t children[WORKERS];
    bystanders(true);
    for (int i = 0; i < WORKERS; i++)
        children[i] = start("work", i, draw(&random));
    while (killed < kills) {
        int victim = (int)below(&random, WORKERS);
        // Mostly in the middle of its work, sometimes while it starts or looks at what the one before it left.
        if (!chance(&random, 15))
            wait_for(&s_state->workers[victim], children[victim]);
        usleep((useconds_t)skewed(&random, 12000));
        if (volume != NULL && chance(&random, 10))
            agents += (uint64_t)kill_agent(volume);
        reap_killed(children[victim]);
        killed++;
        beat();
        if (chance(&random, 5)) {
            for (int i = 0; i < WORKERS; i++)
                if (i != victim)
                    reap_killed(children[i]), killed++;
            verify_in_fresh_process();
            stops++;
            for (int i = 0; i < WORKERS; i++)
                if (i != victim)
                    children[i] = start("work", i, draw(&random));
        }
        children[victim] = start("work", victim, draw(&random));
    }
    for (int i = 0; i < WORKERS; i++)
        reap_killed(children[i]);
    verify_in_fresh_process();
    uint64_t actions = 0, lives = 0;
    for (int i = 0; i < WORKERS; i++)
        actions += s_state->workers[i].actions, lives += s_state->workers[i].lives;
    printf("%llu kills, %llu of agents, %llu calls, %llu verifications, %llu full stops\n", (unsigned long long)killed,
           (unsigned long long)agents, (unsigned long long)actions, (unsigned long long)lives, (unsigned long long)stops + 1);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: kill DIRECTORY STATE\n");
        return 2;
    }
    s_program = arguments[0];
    s_directory = arguments[1];
    s_state_path = arguments[2];
    torture_name = "kill";
    torture_seed = setting("TORTURE_SEED", 1);
    s_block = setting("TORTURE_BLOCK", 16384);
    int fd = open(s_state_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && ftruncate(fd, sizeof *s_state) == 0);
    s_state = mmap(NULL, sizeof *s_state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(s_state != MAP_FAILED);
    if (count == 6 && strcmp(arguments[3], "work") == 0)
        return work(atoi(arguments[4]), strtoull(arguments[5], NULL, 10));
    return count == 6 ? verify_all() : drive();
}
