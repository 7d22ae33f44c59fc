#include "start.h"

#include <errno.h>
#include <sys/mman.h>

#include "../log.h"
#include "../program_name.h"
#include "../syscalls.h"
#include "../text.h"

#define EXIT_CANNOT_START 127

struct start overlay_start;

extern const Elf64_Ehdr __ehdr_start HIDDEN;
extern const Elf64_Dyn _DYNAMIC[] HIDDEN;

/* Our own addresses: linked without imports, so nothing but R_X86_64_RELATIVE. */
static void relocate(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const Elf64_Rela *entries = NULL;
    size_t size = 0;
    for (const Elf64_Dyn *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_RELA)
            entries = (const Elf64_Rela *)(base + entry->d_un.d_ptr);
        else if (entry->d_tag == DT_RELASZ)
            size = entry->d_un.d_val;
    }
    for (size_t i = 0; i < size / sizeof *entries; i++)
        if (ELF64_R_TYPE(entries[i].r_info) == R_X86_64_RELATIVE)
            *(uintptr_t *)(base + entries[i].r_offset) = base + (uintptr_t)entries[i].r_addend;
}

const char *start_value(const char *name_and_sign)
{
    for (char **entry = overlay_start.environment; *entry != NULL; entry++)
        if (text_starts(*entry, name_and_sign))
            return *entry + text_length(name_and_sign);
    return NULL;
}

static Elf64_auxv_t *auxiliary(uint64_t type)
{
    Elf64_auxv_t *entry = overlay_start.auxiliary;
    while (entry->a_type != type && entry->a_type != AT_NULL)
        entry++;
    return entry->a_type == type ? entry : NULL;
}

/* The program names us as its loader; libraries ask for the loader by name, so it gets its own again. */
static void restore_interpreter_name(const char *loader)
{
    const Elf64_auxv_t *headers_entry = auxiliary(AT_PHDR), *count = auxiliary(AT_PHNUM);
    if (headers_entry == NULL || count == NULL)
        return;
    const Elf64_Phdr *headers = (const Elf64_Phdr *)headers_entry->a_un.a_val, *name = NULL;
    uintptr_t base = 0;
    for (uint64_t i = 0; i < count->a_un.a_val; i++) {
        if (headers[i].p_type == PT_PHDR)
            base = (uintptr_t)headers - headers[i].p_vaddr;
        else if (headers[i].p_type == PT_INTERP)
            name = &headers[i];
    }
    if (name == NULL || text_length(loader) >= name->p_filesz)
        return;
    uintptr_t at = base + name->p_vaddr, first = at & -4096UL;
    long size = (long)(at + name->p_filesz - first);
    if (overlay_raw_syscall3(SYS_mprotect, (long)first, size, PROT_READ | PROT_WRITE) < 0)
        return;
    text_copy((char *)at, loader, text_length(loader) + 1);
    for (uint64_t i = 0; i < count->a_un.a_val; i++)
        if (headers[i].p_type == PT_LOAD && base + headers[i].p_vaddr <= at &&
            at < base + headers[i].p_vaddr + headers[i].p_memsz) {
            uint32_t flags = headers[i].p_flags;
            overlay_raw_syscall3(SYS_mprotect, (long)first, size,
                                 ((flags & PF_R) ? PROT_READ : 0) | ((flags & PF_W) ? PROT_WRITE : 0) |
                                     ((flags & PF_X) ? PROT_EXEC : 0));
        }
}

static void find_start(uintptr_t *stack)
{
    overlay_start.environment = (char **)(stack + 1 + stack[0] + 1);
    char **end = overlay_start.environment;
    while (*end != NULL)
        end++;
    overlay_start.auxiliary = (Elf64_auxv_t *)(end + 1);
    overlay_start.loader = start_value(PROGRAM_LOADER);
    overlay_start.started_as = start_value(PROGRAM_STARTED_AS);
    log_set(start_value("OVERLAY_LOG="));
}

static void set_auxiliary(uint64_t type, uint64_t value)
{
    Elf64_auxv_t *entry = auxiliary(type);
    if (entry != NULL)
        entry->a_un.a_val = value;
}

/* Executed in the loader's place; AT_BASE is then 0, as it is when the loader itself is executed. */
static void be_the_loader(const struct mapped_loader *loader)
{
    set_auxiliary(AT_PHDR, (uint64_t)loader->headers);
    set_auxiliary(AT_PHNUM, (uint64_t)loader->header_count);
    set_auxiliary(AT_ENTRY, loader->entry);
}

static void be_before_the_loader(const struct mapped_loader *loader)
{
    set_auxiliary(AT_BASE, loader->base);
    restore_interpreter_name(overlay_start.loader);
}

uintptr_t start_main(uintptr_t *stack) HIDDEN;

/* Answers where the loader begins. */
uintptr_t start_main(uintptr_t *stack)
{
    relocate();
    find_start(stack);
    struct mapped_loader loader;
    long error = overlay_start.loader == NULL ? -ENOEXEC : start_map_loader(overlay_start.loader, &loader);
    const Elf64_auxv_t *base = auxiliary(AT_BASE);
    if (error < 0) {
        log_error(overlay_start.loader, "the program's loader cannot be started", error);
        overlay_raw_syscall3(SYS_exit_group, EXIT_CANNOT_START, 0, 0);
    }
    if (base == NULL || base->a_un.a_val == 0)
        be_the_loader(&loader);
    else
        be_before_the_loader(&loader);
    program_link_set_own(overlay_start.started_as);
    start_patch_loader(&loader);
    return loader.entry;
}
