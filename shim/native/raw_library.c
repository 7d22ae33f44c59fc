/*
 * A library that is loaded while the program runs. Where calls are trapped it may be any. Otherwise its own calls would go past the filter,
 * and it is too late to begin with traps: other threads may block SIGSYS by now. So it is not loaded.
 */
#include <errno.h>
#include <sys/mman.h>

#include "engine_call.h"
#include "log.h"
#include "raw_known.h"
#include "raw_program.h"
#include "raw_scan.h"
#include "syscalls.h"
#include "text.h"
#include "trap.h"

#define PAGE 4096UL
#define HEADER_LIMIT 64
#define NOTES_SIZE 1024
#define SPAN_LIMIT (2UL << 30)

struct library {
    int fd;
    bool is_sealed;
    uint64_t size;
    Elf64_Ehdr header;
    Elf64_Phdr headers[HEADER_LIMIT];
    struct function_scratch scratch;
    uintptr_t low, high; /* of what it takes in memory, by its own addresses */
    long room;
    enum raw_verdict verdict;
    char path[PATH_SIZE];
};

long raw_file_read(int fd, bool is_sealed, void *target, uint64_t size, uint64_t offset)
{
    return is_sealed ? ENGINE_CALL(pread, fd, (long)target, (long)size, (long)offset) : sys_pread(fd, target, (long)size, (long)offset);
}

static bool read_whole(const struct library *library, void *target, uint64_t size, uint64_t offset)
{
    return raw_file_read(library->fd, library->is_sealed, target, size, offset) == (long)size;
}

static bool read_headers(struct library *library)
{
    Elf64_Ehdr *header = &library->header;
    if (!read_whole(library, header, sizeof *header, 0) || !text_starts((const char *)header->e_ident, "\177ELF") ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64 || header->e_phentsize != sizeof(Elf64_Phdr) ||
        header->e_phnum > HEADER_LIMIT)
        return false;
    return read_whole(library, library->headers, header->e_phnum * sizeof(Elf64_Phdr), header->e_phoff);
}

/* False: broken; the loader says so in its own words. */
static bool measure(struct library *library)
{
    library->low = ~0UL;
    for (int i = 0; i < library->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &library->headers[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uint64_t end = segment->p_vaddr + segment->p_filesz;
        if (end < segment->p_vaddr || (segment->p_vaddr - segment->p_offset) % PAGE != 0)
            return false;
        library->low = segment->p_vaddr < library->low ? segment->p_vaddr & -PAGE : library->low;
        library->high = end > library->high ? end : library->high;
    }
    return library->high > library->low && library->high - library->low <= SPAN_LIMIT;
}

/* Not beyond the file's end, where reading memory is deadly. */
static bool lay_out(const struct library *library, const Elf64_Phdr *segment)
{
    uintptr_t at = (uintptr_t)library->room + segment->p_vaddr - library->low, first = at & -PAGE;
    long size = (long)(at + segment->p_filesz - first), offset = (long)(segment->p_offset & -PAGE);
    if (segment->p_filesz == 0)
        return true;
    if (library->is_sealed)
        return overlay_raw_syscall3(SYS_mprotect, (long)first, size, PROT_READ | PROT_WRITE) == 0 &&
               read_whole(library, (void *)at, segment->p_filesz, segment->p_offset);
    return segment->p_offset + segment->p_filesz <= library->size &&
           !overlay_is_error(overlay_raw_syscall6(SYS_mmap, (long)first, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, library->fd, offset));
}

static void scan(void *argument)
{
    struct library *library = argument;
    library->verdict = raw_scan((uintptr_t)library->room - library->low, library->headers, library->header.e_phnum, &library->scratch);
}

static bool look_into(struct library *library)
{
    long size = (long)(library->high - library->low);
    library->room = overlay_raw_syscall6(SYS_mmap, 0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (overlay_is_error(library->room))
        return false;
    bool is_laid_out = true;
    for (int i = 0; i < library->header.e_phnum && is_laid_out; i++)
        if (library->headers[i].p_type == PT_LOAD)
            is_laid_out = lay_out(library, &library->headers[i]);
    if (is_laid_out)
        overlay_with_vector_state_saved(scan, library);
    overlay_raw_syscall6(SYS_munmap, library->room, size, 0, 0, 0, 0);
    return is_laid_out;
}

static bool look(struct library *library)
{
    struct stat status;
    if (sys_fstat(library->fd, &status) < 0)
        return false;
    library->size = (uint64_t)status.st_size;
    const struct raw_file file = raw_known_identify(&status);
    bool is_large = raw_known_is_worth_it(library->headers, library->header.e_phnum);
    int known = is_large ? raw_known_open() : -1;
    bool is_known = known >= 0 && raw_known_find(known, &file, &library->verdict), is_seen = is_known || look_into(library);
    if (known >= 0 && !is_known && is_seen)
        raw_known_add(known, &file, library->verdict);
    raw_known_close(known);
    return is_seen;
}

static bool is_go(const struct library *library)
{
    char notes[NOTES_SIZE];
    for (int i = 0; i < library->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &library->headers[i];
        if (segment->p_type == PT_NOTE && segment->p_align == 4 && segment->p_filesz <= sizeof notes &&
            read_whole(library, notes, segment->p_filesz, segment->p_offset) &&
            raw_is_go_note((uintptr_t)notes, (uintptr_t)notes + segment->p_filesz))
            return true;
    }
    return raw_file_is_go(library->fd, library->is_sealed);
}

static void name_of(int fd, char path[PATH_SIZE])
{
    char link[40] = "/proc/self/fd/";
    link[14 + text_decimal(link + 14, (unsigned long)fd)] = 0;
    long length = sys_readlink(link, path, PATH_SIZE - 1);
    path[length < 0 ? 0 : length] = 0;
}

/* Before glibc 2.34 a library of its own. Of the functions that both have, everybody gets libc's. */
static bool is_pthread(const char *path)
{
    const char *name = path;
    for (const char *c = path; *c != 0; c++)
        if (*c == '/')
            name = c + 1;
    return text_starts(name, "libpthread");
}

static bool is_allowed(struct library *library)
{
    if (!read_headers(library) || !measure(library))
        return true;
    bool has_small_stacks = is_go(library);
    if (overlay_traps != 0) {
        if (has_small_stacks)
            trap_use_signal_stack();
        return true;
    }
    if (!has_small_stacks && look(library) && library->verdict != RAW_CALLS)
        return true;
    name_of(library->fd, library->path);
    if (is_pthread(library->path))
        return true;
    log_line(library->path, "this library makes system calls of its own, which nobody would see in a program that started without them: it is "
                            "not loaded. overlay-ctl run --strict, or OVERLAY_STRICT=1, allows for it");
    return false;
}

/* Room for all of it is taken for this one look: the program's stack may be small. */
bool raw_library_is_allowed(int fd, bool is_sealed)
{
    long room = overlay_raw_syscall6(SYS_mmap, 0, sizeof(struct library), PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (overlay_is_error(room))
        return false;
    struct library *library = (struct library *)room;
    library->fd = fd;
    library->is_sealed = is_sealed;
    bool result = is_allowed(library);
    overlay_raw_syscall3(SYS_munmap, room, sizeof(struct library), 0);
    return result;
}
