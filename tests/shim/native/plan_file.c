/* plan_file ELF [all]: what the patcher would do to each `syscall` of this file, one line each, addresses as in the file:
 *   <syscall> <fate> <number> <start> <moved> <overwritten> <springboard>
 * and the same for each redirected caller. Nothing of the file is executed.
 * With `all`, as if the filter wanted every call. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../shim/native/patch_plan.h"
#include "wanted_numbers.h"

long overlay_filter(struct overlay_call *call)
{
    (void)call;
    return PASS_ON;
}

static uintptr_t map_file(int file, const Elf64_Ehdr *header, const Elf64_Phdr *segments)
{
    size_t size = 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD)
            size = segments[i].p_vaddr + segments[i].p_memsz;
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD &&
            pread(file, base + segments[i].p_vaddr, segments[i].p_filesz, (off_t)segments[i].p_offset) < 0)
            exit(2);
    return (uintptr_t)base;
}

static void print(const struct overlay_patch_site *site, uintptr_t base)
{
    printf("%lx %d %d %lx %d %d %lx\n", site->syscall - base, site->fate, site->number,
           site->start ? site->start - base : 0, site->moved, site->overwritten,
           site->springboard ? site->springboard - base : 0);
}

static void observe(const struct overlay_patch_site *site, void *base)
{
    print(site, (uintptr_t)base);
}

int main(int count, char **arguments)
{
    static struct patch_plan plan;
    static struct function_scratch scratch;
    char head[4096];
    struct overlay_patch_options options = { .observe = observe };
    struct overlay_patch_report report = { 0 };
    struct patch_module module = { 0 };
    int file = count >= 2 ? open(arguments[1], O_RDONLY) : -1;

    if (file < 0 || read(file, head, sizeof head) < (ssize_t)sizeof head)
        return 2;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(head + header->e_phoff);
    uintptr_t base = map_file(file, header, segments);
    options.observe_context = (void *)base;
    want_all(&options);
    if (count > 2)
        memset(options.numbers, 0xff, sizeof options.numbers);
    if (!overlay_module_describe(base, segments, header->e_phnum, &module))
        return 2;
    int complete = overlay_plan_module(&module, &options, &scratch, &plan, &report);
    for (uint32_t i = 0; i < plan.count; i++)
        if (plan.sites[i].fate == OVERLAY_SITE_CALLERS)
            print(&plan.sites[i], base);
    return complete ? 0 : 1;
}
