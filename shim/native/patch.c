#include "patch.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "raw_syscall.h"
#include "trampoline.h"

#define PAGE 4096UL

struct job {
    const uint8_t *interest;
    unsigned interest_size;
    struct patch_report *report;
    long error;
};

static long protect(uint8_t *from, const uint8_t *to, int protection)
{
    uintptr_t start = (uintptr_t)from & ~(PAGE - 1);
    return overlay_raw_syscall6(SYS_mprotect, (long)start, (long)(((uintptr_t)to - start + PAGE - 1) & ~(PAGE - 1)),
                                protection, 0, 0, 0);
}

/* Room for stubs within reach of a jump: as near below the module as the kernel lets us. */
static uint8_t *map_near(const uint8_t *module, size_t size)
{
    for (uintptr_t distance = 1 << 20; distance < 1UL << 30; distance += distance / 2) {
        uintptr_t hint = ((uintptr_t)module - distance) & ~(PAGE - 1);
        long address = overlay_raw_syscall6(SYS_mmap, (long)hint, (long)size, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (address == (long)hint)
            return (uint8_t *)address;
        if (address > 0)
            overlay_raw_syscall6(SYS_munmap, address, (long)size, 0, 0, 0, 0);
    }
    return NULL;
}

/* Sites whose number is known and not of interest stay; of the others the filter decides at each call. */
static bool is_wanted(const struct job *job, const struct patch_site *site)
{
    return site->kind != PATCH_MOV || ((unsigned)site->number < job->interest_size && job->interest[site->number] != 0);
}

/* The text is read once; what is found waits here until stubs have their room. */
#define SITE_LIMIT 4096
static struct patch_site s_sites[SITE_LIMIT];

static long find_sites(struct job *job, uint8_t *begin, const uint8_t *end)
{
    long wanted = 0;
    struct patch_site site;
    for (const uint8_t *cursor = begin; patch_next_site(&cursor, begin, end, &site);) {
        job->report->found++;
        if (site.kind == PATCH_NONE)
            job->report->unpatchable++;
        else if (!is_wanted(job, &site))
            job->report->not_of_interest++;
        else if (wanted == SITE_LIMIT)
            return -E2BIG;
        else
            s_sites[wanted++] = site;
    }
    return wanted;
}

static long patch_text(struct job *job, uint8_t *begin, const uint8_t *end, int protection)
{
    long wanted = find_sites(job, begin, end);
    if (wanted <= 0)
        return wanted;
    size_t room = ((size_t)wanted * PATCH_STUB_SIZE + PAGE - 1) & ~(PAGE - 1);
    uint8_t *stubs = map_near(begin, room);
    if (stubs == NULL)
        return -ENOMEM;
    /* Never writable and executable at once; no other thread is there to miss its code meanwhile. */
    long error = protect(begin, end, PROT_READ | PROT_WRITE);
    if (error < 0)
        return error;
    for (long i = 0; i < wanted; i++) {
        if (patch_write_stub(&s_sites[i], stubs + i * PATCH_STUB_SIZE)) {
            patch_write_jump(&s_sites[i], stubs + i * PATCH_STUB_SIZE);
            job->report->patched++;
        } else {
            error = -ERANGE;
        }
    }
    long restored = protect(begin, end, protection);
    long sealed = overlay_raw_syscall6(SYS_mprotect, (long)stubs, (long)room, PROT_READ | PROT_EXEC, 0, 0, 0);
    return error < 0 ? error : restored < 0 ? restored : sealed;
}

static bool is_libc(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name != NULL ? name + 1 : path;
    return strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-2.", 7) == 0 || strncmp(name, "libpthread", 10) == 0;
}

static int visit_module(struct dl_phdr_info *module, size_t size, void *argument)
{
    (void)size;
    struct job *job = argument;
    if (module->dlpi_name == NULL || !is_libc(module->dlpi_name))
        return 0;
    for (int i = 0; i < module->dlpi_phnum && job->error == 0; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        uint8_t *begin = (uint8_t *)(module->dlpi_addr + segment->p_vaddr);
        int protection = PROT_EXEC | ((segment->p_flags & PF_R) != 0 ? PROT_READ : 0);
        job->error = patch_text(job, begin, begin + segment->p_memsz, protection);
    }
    return job->error != 0;
}

long patch_install(const uint8_t *interest, unsigned interest_size, struct patch_report *report)
{
    struct job job = {interest, interest_size, report, 0};
    *report = (struct patch_report){0};
    dl_iterate_phdr(visit_module, &job);
    if (job.error == 0 && report->found == 0)
        return -ENOENT; /* no libc that we know */
    return job.error;
}
