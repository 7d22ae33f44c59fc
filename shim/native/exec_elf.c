#include "exec_elf.h"

#include <elf.h>

static bool is_inside(const struct elf_image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset;
}

/* The program headers, or NULL. */
static const Elf64_Phdr *headers_of(const struct elf_image *image, int *count)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image->bytes;
    if (!is_inside(image, 0, sizeof *header) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff % 8 != 0 ||
        !is_inside(image, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr)))
        return NULL;
    *count = header->e_phnum;
    return (const Elf64_Phdr *)(image->bytes + header->e_phoff);
}

static const Elf64_Phdr *segment_of(const struct elf_image *image, uint32_t type)
{
    int count = 0;
    const Elf64_Phdr *headers = headers_of(image, &count);
    for (int i = 0; headers != NULL && i < count; i++)
        if (headers[i].p_type == type && is_inside(image, headers[i].p_offset, headers[i].p_filesz))
            return &headers[i];
    return NULL;
}

char *elf_interpreter(const struct elf_image *image, uint64_t *room)
{
    const Elf64_Phdr *segment = segment_of(image, PT_INTERP);
    if (segment == NULL || segment->p_filesz < 2 || image->bytes[segment->p_offset + segment->p_filesz - 1] != 0)
        return NULL;
    *room = segment->p_filesz;
    return image->bytes + segment->p_offset;
}

/* The string table, whose address the dynamic section gives as the program will see it. */
static const char *strings_of(const struct elf_image *image, uint64_t address, uint64_t *size)
{
    int count = 0;
    const Elf64_Phdr *headers = headers_of(image, &count);
    for (int i = 0; headers != NULL && i < count; i++) {
        const Elf64_Phdr *segment = &headers[i];
        if (segment->p_type != PT_LOAD || address < segment->p_vaddr || address - segment->p_vaddr >= segment->p_filesz ||
            !is_inside(image, segment->p_offset, segment->p_filesz))
            continue;
        *size = segment->p_filesz - (address - segment->p_vaddr);
        return image->bytes + segment->p_offset + (address - segment->p_vaddr);
    }
    return NULL;
}

static bool has_slash(const char *text, uint64_t size)
{
    for (uint64_t i = 0; i < size && text[i] != 0; i++)
        if (text[i] == '/')
            return true;
    return false;
}

bool elf_names_places(const struct elf_image *image)
{
    const Elf64_Phdr *segment = segment_of(image, PT_DYNAMIC);
    if (segment == NULL || segment->p_offset % 8 != 0)
        return false;
    const Elf64_Dyn *entries = (const Elf64_Dyn *)(image->bytes + segment->p_offset);
    uint64_t count = segment->p_filesz / sizeof *entries, size = 0;
    const char *strings = NULL;
    for (uint64_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
        if (entries[i].d_tag == DT_RPATH || entries[i].d_tag == DT_RUNPATH)
            return true;
        if (entries[i].d_tag == DT_STRTAB)
            strings = strings_of(image, entries[i].d_un.d_ptr, &size);
    }
    for (uint64_t i = 0; strings != NULL && i < count && entries[i].d_tag != DT_NULL; i++)
        if (entries[i].d_tag == DT_NEEDED && entries[i].d_un.d_val < size &&
            has_slash(strings + entries[i].d_un.d_val, size - entries[i].d_un.d_val))
            return true;
    return false;
}
