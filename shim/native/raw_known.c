#include "raw_known.h"

#include <sys/resource.h>

#include "engine_call.h"
#include "syscalls.h"
#include "text.h"

#define WORTH_IT (16UL << 10) /* bytes of text; reading so much takes as long as asking here */
#define RECORDS 1024u
#define VERSION 2u /* of raw_scan's judgement: the next one where that, or what the filter asks for, changes */

struct record {
    struct raw_file file;
    uint64_t verdict; /* above it the version and a sum of all, so that half a record is none */
};

static uint64_t sum_of(const struct raw_file *file)
{
    const uint64_t *words = (const uint64_t *)file;
    uint64_t sum = VERSION;
    for (size_t i = 0; i < sizeof *file / sizeof *words; i++)
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15UL, sum ^= sum >> 29;
    return sum;
}

static long place_of(const struct raw_file *file)
{
    return (long)(sum_of(file) % RECORDS * sizeof(struct record));
}

static bool is_ours(int fd)
{
    struct stat status;
    return sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) == 0 &&
           status.st_uid == (uid_t)overlay_raw_syscall6(SYS_geteuid, 0, 0, 0, 0, 0, 0);
}

/* In the folder of the agent's socket; reached through no link. */
int raw_known_open(void)
{
    static const char name[] = "scanned";
    char path[PATH_SIZE];
    const char *agent = overlay_settings.agent;
    size_t length = agent == NULL ? 0 : text_length(agent);
    if (length == 0 || length > PATH_SIZE - sizeof name || agent[0] != '/')
        return -1;
    text_copy(path, agent, length);
    while (path[length - 1] != '/')
        length--;
    text_copy(path + length, name, sizeof name);
    long fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && !is_ours((int)fd)) {
        sys_close((int)fd);
        return -1;
    }
    return fd < 0 ? -1 : (int)fd;
}

void raw_known_close(int list)
{
    if (list >= 0)
        sys_close(list);
}

bool raw_known_is_worth_it(const Elf64_Phdr *headers, int count)
{
    uint64_t size = 0;
    for (int i = 0; i < count; i++)
        if (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_X) != 0)
            size += headers[i].p_filesz;
    return size >= WORTH_IT;
}

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000UL + (uint64_t)time->tv_nsec;
}

struct raw_file raw_known_identify(const struct stat *status)
{
    return (struct raw_file){status->st_dev, status->st_ino, (uint64_t)status->st_size, nanoseconds(&status->st_mtim),
                             nanoseconds(&status->st_ctim)};
}

bool raw_known_find(int list, const struct raw_file *file, enum raw_verdict *verdict)
{
    struct record record;
    if (sys_pread(list, &record, sizeof record, place_of(file)) != sizeof record)
        return false;
    for (size_t i = 0; i < sizeof *file; i++)
        if (((const char *)&record.file)[i] != ((const char *)file)[i])
            return false;
    uint64_t found = record.verdict ^ sum_of(file);
    *verdict = (enum raw_verdict)found;
    return found <= RAW_CALLS;
}

/* Writing beyond the limit would be deadly. */
static bool may_write(void)
{
    struct rlimit limit;
    return overlay_raw_syscall6(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) == 0 && limit.rlim_cur >= RECORDS * sizeof(struct record);
}

void raw_known_add(int list, const struct raw_file *file, enum raw_verdict verdict)
{
    if (!may_write())
        return;
    const struct record record = {*file, sum_of(file) ^ verdict};
    overlay_raw_syscall6(SYS_pwrite64, list, (long)&record, sizeof record, place_of(file), 0, 0);
}
