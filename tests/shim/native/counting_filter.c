/* A filter that lets every call pass and counts it. Preloaded by the tests.
 *   COUNTING_REPORT=FILE   at exit, append "<found> <patched> <not wanted> <calls seen>" to FILE
 *   COUNTING_SITES=FILE    append one line for each `syscall` site: address in libc, fate, number, what is overwritten */
#define _GNU_SOURCE
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../shim/native/raw_syscall.h"
#include "wanted_numbers.h"

__attribute__((visibility("default"))) unsigned long counting_calls[OVERLAY_NUMBER_LIMIT];
__attribute__((visibility("default"))) unsigned long counting_total;

static struct overlay_patch_report s_report;
static int s_sites = -1;

long overlay_filter(struct overlay_call *call)
{
    __atomic_fetch_add(&counting_calls[call->number], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counting_total, 1, __ATOMIC_RELAXED);
    return PASS_ON;
}

static int find_base(struct dl_phdr_info *info, size_t size, void *site_address)
{
    (void)size;
    uintptr_t address = *(uintptr_t *)site_address;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && address >= start && address < start + info->dlpi_phdr[i].p_memsz) {
            *(uintptr_t *)site_address = info->dlpi_addr;
            return 1;
        }
    }
    return 0;
}

static void observe(const struct overlay_patch_site *site, void *context)
{
    (void)context;
    uintptr_t base = site->syscall;
    dl_iterate_phdr(find_base, &base);
    dprintf(s_sites, "%lx %d %d %lx %d %lx\n", site->syscall - base, site->fate, site->number,
            site->start ? site->start - base : 0, site->overwritten, site->springboard ? site->springboard - base : 0);
}

/* An -z initfirst constructor runs before libc's own, which sets what getenv looks at. */
static const char *variable(char **environment, const char *name)
{
    size_t length = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

__attribute__((constructor)) static void start(int count, char **arguments, char **environment)
{
    (void)count;
    (void)arguments;
    struct overlay_patch_options options = { .include_loader = variable(environment, "COUNTING_LOADER") != NULL };
    const char *sites = variable(environment, "COUNTING_SITES");
    want_all(&options);
    if (sites) {
        s_sites = open(sites, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        options.observe = observe;
    }
    int result = overlay_patch_install(&options, &s_report);
    if (result != OVERLAY_PATCH_OK) {
        dprintf(2, "counting_filter: %s (%u unpatchable, first %lx in %s, errno %d)\n", overlay_patch_explain(result),
                s_report.unpatchable_wanted, s_report.first_unpatchable, s_report.module ? s_report.module : "?",
                s_report.error);
        _exit(125);
    }
    if (s_sites >= 0)
        close(s_sites);
}

__attribute__((destructor)) static void finish(void)
{
    const char *report = getenv("COUNTING_REPORT");
    char line[128];
    if (!report)
        return;
    long file = overlay_raw_syscall3(SYS_open, (long)report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int length = snprintf(line, sizeof line, "%u %u %u %lu\n", s_report.found, s_report.patched,
                          s_report.skipped_not_wanted, counting_total);
    overlay_raw_syscall3(SYS_write, file, (long)line, length);
    overlay_raw_syscall3(SYS_close, file, 0, 0);
}
