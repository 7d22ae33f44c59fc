#include <errno.h>
#include <sys/mman.h>

#include "../syscalls.h"
#include "start.h"

#define PAGE 4096UL
#define HEADER_LIMIT 4096 /* the loader's header and program headers lie in its first page */

static int protection_of(const Elf64_Phdr *segment)
{
    return ((segment->p_flags & PF_R) ? PROT_READ : 0) | ((segment->p_flags & PF_W) ? PROT_WRITE : 0) |
           ((segment->p_flags & PF_X) ? PROT_EXEC : 0);
}

/* One segment: its part of the file, the rest of its last page zeroed, and zero pages behind it. */
static long map_segment(int fd, uintptr_t base, const Elf64_Phdr *segment)
{
    uintptr_t start = base + segment->p_vaddr, first = start & -PAGE;
    uintptr_t file_end = start + segment->p_filesz, end = start + segment->p_memsz;
    uintptr_t file_pages_end = (file_end + PAGE - 1) & -PAGE, pages_end = (end + PAGE - 1) & -PAGE;
    long at = overlay_raw_syscall6(SYS_mmap, (long)first, (long)(file_pages_end - first), protection_of(segment),
                                   MAP_PRIVATE | MAP_FIXED, fd, (long)(segment->p_offset & -PAGE));
    if (overlay_is_error(at))
        return at;
    if ((segment->p_flags & PF_W) != 0)
        for (volatile char *byte = (volatile char *)file_end; (uintptr_t)byte < file_pages_end; byte++)
            *byte = 0;
    if (pages_end > file_pages_end)
        at = overlay_raw_syscall6(SYS_mmap, (long)file_pages_end, (long)(pages_end - file_pages_end), protection_of(segment),
                                  MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    return overlay_is_error(at) ? at : 0;
}

static long map_all(int fd, const Elf64_Ehdr *header, const Elf64_Phdr *segments, struct mapped_loader *out)
{
    uintptr_t end = 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr + segments[i].p_memsz > end)
            end = segments[i].p_vaddr + segments[i].p_memsz;
    long base = overlay_raw_syscall6(SYS_mmap, 0, (long)end, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(base))
        return base;
    for (int i = 0; i < header->e_phnum; i++) {
        long error = segments[i].p_type == PT_LOAD ? map_segment(fd, (uintptr_t)base, &segments[i]) : 0;
        if (error < 0)
            return error;
    }
    out->base = (uintptr_t)base;
    out->entry = out->base + header->e_entry;
    out->headers = (const Elf64_Phdr *)(out->base + header->e_phoff);
    out->header_count = header->e_phnum;
    return 0;
}

long start_map_loader(const char *path, struct mapped_loader *out)
{
    union {
        Elf64_Ehdr header;
        char bytes[HEADER_LIMIT];
    } first;
    long fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    long size = sys_pread((int)fd, &first, sizeof first, 0);
    const Elf64_Ehdr *header = &first.header;
    bool is_loader = size >= (long)sizeof *header && header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_type == ET_DYN &&
                     header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phoff < sizeof first &&
                     header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr) <= (uint64_t)size;
    long error = is_loader ? map_all((int)fd, header, (const Elf64_Phdr *)(first.bytes + header->e_phoff), out) : -ELIBBAD;
    sys_close((int)fd);
    return error;
}
