/* known_sites LIBRARY...: writes patch_known_sites.h, the plans for these libraries with every call wanted. Runs when the
 * shim is built. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../patch_known.h"
#include "../patch_number.h"

static struct patch_plan s_plan;
static struct function_scratch s_scratch;
static struct patch_module s_module;
static unsigned s_count;

/* Lays the file out in memory as the loader would, without relocating or running anything. */
static int map_file(const char *path)
{
    char head[4096];
    int file = open(path, O_RDONLY);
    if (file < 0 || read(file, head, sizeof head) != (ssize_t)sizeof head || memcmp(head, ELFMAG "\2\1", 6) != 0)
        return 0;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(head + header->e_phoff);
    size_t size = 0;
    if (header->e_machine != EM_X86_64 || header->e_phoff + header->e_phnum * sizeof *segments > sizeof head)
        return 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD)
            size = segments[i].p_vaddr + segments[i].p_memsz;
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && pread(file, base + segments[i].p_vaddr, segments[i].p_filesz,
                                                   (off_t)segments[i].p_offset) != (ssize_t)segments[i].p_filesz)
            return 0;
    close(file);
    return overlay_module_describe((uintptr_t)base, segments, header->e_phnum, &s_module) && s_module.build_id &&
           s_module.text_end - s_module.base < INT32_MAX;
}

static int presumed_number(uintptr_t syscall)
{
    struct function_map map;
    int64_t index = overlay_function_before(&s_module, syscall);
    if (index < 0 || !overlay_function_map(&s_module, (uint32_t)index, &s_scratch, &map) || syscall >= map.range.end)
        return NUMBER_UNKNOWN;
    return overlay_call_number_presumed(&map, syscall);
}

static uint8_t s_code[PATCH_SITE_LIMIT * 32];
static unsigned s_code_size;

static void keep_code(const struct overlay_patch_site *site)
{
    uint8_t size = overlay_known_code_size(site->fate, site->moved, site->overwritten);
    if (s_code_size + size > sizeof s_code)
        exit(1);
    memcpy(s_code + s_code_size, (const void *)site->start, size);
    s_code_size += size;
}

static void print_code(unsigned number)
{
    printf("static const uint8_t known_code_%u[] = {", number);
    for (unsigned i = 0; i < s_code_size; i++)
        printf("%s0x%02x,", i % 16 == 0 ? "\n    " : " ", s_code[i]);
    printf("\n};\n");
}

static void print(const struct overlay_patch_site *site)
{
    int springboard = site->springboard ? (int)(site->springboard - (site->start + PATCH_SHORT_JUMP_SIZE)) : 0;
    printf("    { %#lx, %#lx, %d, %d, %d, %d, %d, %d },\n", site->syscall - s_module.base,
           site->start ? site->start - s_module.base : 0, site->number, -1, springboard, site->fate, site->moved,
           site->overwritten);
    keep_code(site);
    s_count++;
}

static struct overlay_patch_site s_seen[PATCH_SITE_LIMIT];
static unsigned s_seen_count;

static void observe(const struct overlay_patch_site *site, void *context)
{
    (void)context;
    if (site->fate != OVERLAY_SITE_NOT_CODE && s_seen_count < PATCH_SITE_LIMIT)
        s_seen[s_seen_count++] = *site;
}

static void print_module(unsigned number)
{
    struct overlay_patch_options options = { .observe = observe };
    struct overlay_patch_report report = { 0 };

    memset(options.numbers, 0xff, sizeof options.numbers);
    s_plan.count = s_seen_count = s_count = s_code_size = 0;
    overlay_plan_module(&s_module, &options, &s_scratch, &s_plan, &report);
    printf("static const struct known_site known_sites_%u[] = {\n", number);
    for (unsigned i = 0; i < s_seen_count; i++) {
        if (s_seen[i].fate == OVERLAY_SITE_UNPATCHABLE)
            printf("    { %#lx, 0, %d, %d, 0, %d, 0, 0 },\n", s_seen[i].syscall - s_module.base, s_seen[i].number,
                   presumed_number(s_seen[i].syscall), OVERLAY_SITE_UNPATCHABLE);
        else
            print(&s_seen[i]);
        s_count += s_seen[i].fate == OVERLAY_SITE_UNPATCHABLE;
    }
    for (unsigned i = 0; i < s_plan.count; i++)
        if (s_plan.sites[i].fate == OVERLAY_SITE_CALLERS)
            print(&s_plan.sites[i]);
    printf("};\n");
    print_code(number);
    printf("static const uint8_t known_build_id_%u[] = {", number);
    for (unsigned i = 0; i < s_module.build_id_size; i++)
        printf(" 0x%02x,", s_module.build_id[i]);
    printf(" };\n#define KNOWN_MODULE_%u { known_build_id_%u, %u, %u, known_sites_%u, %u, known_code_%u },\n", number, number,
           s_module.build_id_size, report.found, number, s_count, number);
}

int main(int count, char **arguments)
{
    unsigned known = 0;
    printf("/* Made by tool/known_sites.c. */\n");
    for (int i = 1; i < count; i++) {
        if (!map_file(arguments[i])) {
            fprintf(stderr, "known_sites: %s: not a library with a build id\n", arguments[i]);
            continue;
        }
        printf("/* %s */\n", arguments[i]);
        print_module(known++);
    }
    printf("static const struct known_module known_modules[] = {\n");
    for (unsigned i = 0; i < known; i++)
        printf("    KNOWN_MODULE_%u\n", i);
    if (known == 0)
        printf("    { 0, 0, 0, 0, 0, 0 },\n");
    printf("};\n");
    return 0;
}
