#include "patch_module.h"

#include <link.h>
#include <string.h>

static int name_is(const char *path, const char *name)
{
    const char *last = path;
    for (const char *c = path; *c; c++)
        if (*c == '/')
            last = c + 1;
    while (*last && *last == *name) {
        last++;
        name++;
    }
    return *last == *name;
}

/* Notes: size of name, size of content, type, then name and content, each padded to 4 bytes. */
static void find_build_id(uintptr_t at, uintptr_t end, struct patch_module *out)
{
    while (at + sizeof(Elf64_Nhdr) <= end) {
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
        uintptr_t content = at + sizeof *note + ((note->n_namesz + 3) & ~3u);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && content + note->n_descsz <= end) {
            out->build_id = (const uint8_t *)content;
            out->build_id_size = note->n_descsz;
        }
        at = content + ((note->n_descsz + 3) & ~3u);
    }
}

int overlay_module_describe(uintptr_t base, const Elf64_Phdr *headers, int count, struct patch_module *out)
{
    int executable = 0;

    out->base = base;
    out->frame_header = 0;
    out->constants_count = 0;
    out->build_id = 0;
    for (int i = 0; i < count; i++) {
        const Elf64_Phdr *header = &headers[i];
        if (header->p_type == PT_LOAD && !(header->p_flags & PF_W) && out->constants_count < PATCH_CONSTANTS_LIMIT)
            out->constants[out->constants_count++] = (struct address_range){
                base + header->p_vaddr, base + header->p_vaddr + header->p_filesz };
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X)) {
            if (header->p_flags & PF_W)
                return 0;
            executable++;
            out->text = base + header->p_vaddr;
            out->text_end = out->text + header->p_filesz;
            out->text_file_offset = header->p_offset;
        } else if (header->p_type == PT_NOTE && header->p_align == 4) {
            find_build_id(base + header->p_vaddr, base + header->p_vaddr + header->p_filesz, out);
        } else if (header->p_type == PT_GNU_EH_FRAME) {
            out->frame_header = base + header->p_vaddr;
        }
    }
    return executable == 1;
}

struct search {
    struct patch_module *out;
    int count, include_loader, strange;
};

static int consider(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct search *search = context;
    int is_libc = name_is(info->dlpi_name, "libc.so.6");

    int is_loader = search->include_loader && name_is(info->dlpi_name, "ld-linux-x86-64.so.2");

    if (!is_libc && !is_loader && !name_is(info->dlpi_name, "libpthread.so.0"))
        return 0;
    if (search->count == PATCH_MODULE_LIMIT) {
        search->strange = 1;
        return 1;
    }
    struct patch_module *module = &search->out[search->count];
    module->path = info->dlpi_name;
    module->is_libc = (uint32_t)is_libc;
    module->is_loader = (uint32_t)is_loader;
    if (overlay_module_describe(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum, module))
        search->count++;
    else if (!is_loader)
        search->strange = 1;
    return 0;
}

int overlay_modules_find(int include_loader, struct patch_module out[PATCH_MODULE_LIMIT])
{
    struct search search = { .out = out, .include_loader = include_loader };
    dl_iterate_phdr(consider, &search);
    return search.strange ? -1 : search.count;
}

/* A module may be broken where nobody looked so far. */
static int is_constant(const struct patch_module *module, uintptr_t address, uintptr_t size)
{
    for (uint32_t i = 0; i < module->constants_count; i++)
        if (address >= module->constants[i].start && address < module->constants[i].end)
            return size <= module->constants[i].end - address;
    return 0;
}

/* .eh_frame_hdr: version 1, three encoding bytes, the address of .eh_frame, the number of rows, then rows of
 * (function start, frame entry), each relative to the header, sorted. Only the encodings every linker writes. */
struct frame_row {
    int32_t start, entry;
};

static const struct frame_row *rows(const struct patch_module *module, uint32_t *count)
{
    static const uint8_t known[4] = { 1, 0x1b, 0x03, 0x3b };
    *count = 0;
    if (!module->frame_header || !is_constant(module, module->frame_header, 12) ||
        memcmp((const void *)module->frame_header, known, sizeof known) != 0)
        return 0;
    memcpy(count, (const void *)(module->frame_header + 8), 4);
    if (!is_constant(module, module->frame_header, 12 + *count * sizeof(struct frame_row)))
        *count = 0;
    return (const struct frame_row *)(module->frame_header + 12);
}

uint32_t overlay_function_count(const struct patch_module *module)
{
    uint32_t count;
    rows(module, &count);
    return count;
}

int overlay_function_at(const struct patch_module *module, uint32_t index, struct address_range *out)
{
    uint32_t count, size, cie;
    const struct frame_row *table = rows(module, &count);
    if (index >= count)
        return 0;

    /* A frame entry starts: length, distance to its CIE, then start (pc-relative) and size of the function. */
    uintptr_t entry = module->frame_header + (uintptr_t)(intptr_t)table[index].entry;
    int32_t start;
    if (!is_constant(module, entry, 16))
        return 0;
    memcpy(&start, (const void *)(entry + 8), 4);
    memcpy(&size, (const void *)(entry + 12), 4);
    out->start = module->frame_header + (uintptr_t)(intptr_t)table[index].start;
    out->end = out->start + size;
    if (!(entry + 8 + (uintptr_t)(intptr_t)start == out->start) || size < 2)    /* another encoding of addresses */
        return 0;
    /* A signal frame's entry ("S" in its CIE) starts one byte early, for unwinders that look up the address before. */
    memcpy(&cie, (const void *)(entry + 4), 4);
    if (!is_constant(module, entry + 4 - cie, 16))
        return 0;
    for (const char *c = (const char *)(entry + 4 - cie + 9); *c; c++)
        out->start += *c == 'S';
    return out->start >= module->text && out->end <= module->text_end;
}

int64_t overlay_function_before(const struct patch_module *module, uintptr_t address)
{
    uint32_t count, low = 0, high;
    const struct frame_row *table = rows(module, &count);
    high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (module->frame_header + (uintptr_t)(intptr_t)table[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low - 1;
}
