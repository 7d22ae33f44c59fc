/*
 * NativeAOT keeps its tables packed, and when it starts lays them out in memory that is zero at first (".hydrated", 80 pages): nearly all of
 * what the library has of such memory. A fault takes twice as long as its page alone.
 */
#include "engine_pages.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include "syscalls.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096UL

static uintptr_t page_up(uintptr_t address)
{
    return (address + PAGE - 1) & -PAGE;
}

void engine_pages_take(void *library)
{
    struct link_map *map;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
        return;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)map->l_addr;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(map->l_addr + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) == 0)
            continue;
        uintptr_t start = page_up(map->l_addr + segment->p_vaddr + segment->p_filesz), end = page_up(map->l_addr + segment->p_vaddr + segment->p_memsz);
        /* Before Linux 5.14, or without memory: they come one by one. */
        if (end > start)
            overlay_raw_syscall3(SYS_madvise, (long)start, (long)(end - start), MADV_POPULATE_WRITE);
    }
}
