#include "raw_program.h"

#include <elf.h>
#include <link.h>

#include "syscalls.h"
#include "text.h"

#define NT_GO_BUILD_ID 4
#define NAMES_SIZE 2048 /* of sections, all together: most programs' take 400 bytes */

/* Notes: sizes of name and content, type, then both, each padded to 4 bytes. */
static bool has_go_note(uintptr_t at, uintptr_t end)
{
    while (at + sizeof(Elf64_Nhdr) + 4 <= end) {
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
        if (note->n_type == NT_GO_BUILD_ID && note->n_namesz == 4 && text_same((const char *)(note + 1), "Go"))
            return true;
        at += sizeof *note + ((note->n_namesz + 3ul) & ~3ul) + ((note->n_descsz + 3ul) & ~3ul);
    }
    return false;
}

static int look_at_module(struct dl_phdr_info *module, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const Elf64_Phdr *header = &module->dlpi_phdr[i];
        uintptr_t at = module->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_NOTE && header->p_align == 4 && has_go_note(at, at + header->p_filesz))
            return 1;
    }
    return 0;
}

/* Built without a note (-ldflags -buildid=) it still has a section by which Go's own tools know it. */
static bool has_go_section(int fd)
{
    Elf64_Ehdr header;
    Elf64_Shdr section;
    char names[NAMES_SIZE + 1];
    if (sys_pread(fd, &header, sizeof header, 0) != sizeof header || header.e_shnum == 0 ||
        sys_pread(fd, &section, sizeof section, (long)(header.e_shoff + (uint64_t)header.e_shstrndx * header.e_shentsize)) != sizeof section)
        return false;
    long length = sys_pread(fd, names, section.sh_size < NAMES_SIZE ? (long)section.sh_size : NAMES_SIZE, (long)section.sh_offset);
    if (length < 0)
        return false;
    names[length] = 0;
    for (long i = 0; i < length; i++)
        if (text_starts(names + i, ".go.buildinfo") || text_starts(names + i, ".gopclntab"))
            return true;
    return false;
}

bool raw_program_is_this(void)
{
    if (dl_iterate_phdr(look_at_module, NULL) != 0)
        return true;
    long fd = sys_openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_go = has_go_section((int)fd);
    sys_close((int)fd);
    return is_go;
}
