#include "raw_program.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include "raw_known.h"
#include "raw_scan.h"
#include "syscalls.h"
#include "text.h"

#define NT_GO_BUILD_ID 4
#define NAMES_SIZE 2048 /* of sections, all together: most programs' take 400 bytes */

/* Notes: sizes of name and content, type, then both, each padded to 4 bytes. */
bool raw_is_go_note(uintptr_t at, uintptr_t end)
{
    while (at + sizeof(Elf64_Nhdr) + 4 <= end) {
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
        if (note->n_type == NT_GO_BUILD_ID && note->n_namesz == 4 && text_same((const char *)(note + 1), "Go"))
            return true;
        at += sizeof *note + ((note->n_namesz + 3ul) & ~3ul) + ((note->n_descsz + 3ul) & ~3ul);
    }
    return false;
}

static bool is_go_module(const struct dl_phdr_info *module)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const Elf64_Phdr *header = &module->dlpi_phdr[i];
        uintptr_t at = module->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_NOTE && header->p_align == 4 && raw_is_go_note(at, at + header->p_filesz))
            return true;
    }
    return false;
}

bool raw_file_is_go(int fd, bool is_sealed)
{
    Elf64_Ehdr header;
    Elf64_Shdr section;
    char names[NAMES_SIZE + 1];
    if (raw_file_read(fd, is_sealed, &header, sizeof header, 0) != sizeof header || header.e_shnum == 0 ||
        raw_file_read(fd, is_sealed, &section, sizeof section, header.e_shoff + (uint64_t)header.e_shstrndx * header.e_shentsize) != sizeof section)
        return false;
    long length = raw_file_read(fd, is_sealed, names, section.sh_size < NAMES_SIZE ? section.sh_size : NAMES_SIZE, section.sh_offset);
    if (length < 0)
        return false;
    names[length] = 0;
    for (long i = 0; i < length; i++)
        if (text_starts(names + i, ".go.buildinfo") || text_starts(names + i, ".gopclntab"))
            return true;
    return false;
}

/* Whose calls are patched or are the filter's own, and what the kernel brings. */
static bool is_known(const struct dl_phdr_info *module)
{
    static const char *const names[] = {"libc.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "liboverlay-shim.so", "linux-vdso.so.1"};
    const char *name = module->dlpi_name;
    for (const char *c = name; *c != 0; c++)
        if (*c == '/')
            name = c + 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_same(name, names[i]))
            return true;
    return false;
}

struct look {
    struct raw_program result;
    struct function_scratch *scratch;
    int known; /* raw_known.h; opened when it is needed, which for most small programs is never */
};
enum { NOT_OPENED = -2 };

static bool can_ask(struct look *look, const struct dl_phdr_info *module)
{
    if (!raw_known_is_worth_it(module->dlpi_phdr, module->dlpi_phnum))
        return false;
    if (look->known == NOT_OPENED)
        look->known = raw_known_open();
    return look->known >= 0;
}

static int look_at_module(struct dl_phdr_info *module, size_t size, void *context)
{
    (void)size;
    struct look *look = context;
    if (is_known(module))
        return 0;
    look->result.is_go |= is_go_module(module);
    if (look->result.makes_calls || look->result.is_go)
        return 0;
    const char *path = module->dlpi_name[0] != 0 ? module->dlpi_name : "/proc/self/exe";
    struct stat status;
    bool is_large = can_ask(look, module) && sys_fstatat(AT_FDCWD, path, &status, 0) == 0;
    const struct raw_file file = is_large ? raw_known_identify(&status) : (struct raw_file){0};
    enum raw_verdict verdict;
    if (!is_large || !raw_known_find(look->known, &file, &verdict)) {
        verdict = raw_scan(module->dlpi_addr, module->dlpi_phdr, module->dlpi_phnum, look->scratch);
        if (is_large)
            raw_known_add(look->known, &file, verdict);
    }
    look->result.makes_calls = verdict != RAW_NONE;
    return 0;
}

struct raw_program raw_program_look(void)
{
    struct look look = {.result = {false, false}};
    long scratch = overlay_raw_syscall6(SYS_mmap, 0, sizeof *look.scratch, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (overlay_is_error(scratch))
        return (struct raw_program){false, true};
    look.scratch = (struct function_scratch *)scratch;
    look.known = NOT_OPENED;
    dl_iterate_phdr(look_at_module, &look);
    raw_known_close(look.known);
    overlay_raw_syscall6(SYS_munmap, scratch, sizeof *look.scratch, 0, 0, 0, 0);
    if (look.result.makes_calls && !look.result.is_go) { /* any of Go's makes calls */
        long fd = sys_openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
        look.result.is_go = fd >= 0 && raw_file_is_go((int)fd, false);
        if (fd >= 0)
            sys_close((int)fd);
    }
    look.result.makes_calls |= look.result.is_go;
    return look.result;
}
