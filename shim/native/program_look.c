#include "program_look.h"

#include <errno.h>

#include "engine_call.h"
#include "program_check.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/*
 * "#! interpreter argument", by the kernel's rules (fs/binfmt_script.c): the rest of the line is one argument, without the blanks
 * around it; a path that may be cut off at the end of the buffer is none. The buffer ends with zeros.
 */
static bool parse_script(struct program_level *level)
{
    char *const last = level->start + PROGRAM_START_SIZE - 1;
    char *end = level->start + 2, *name = end;
    while (end < last && *end != '\n')
        end++;
    bool is_cut = *end != '\n';
    while (name < end && is_blank(*name))
        name++;
    char *stop = name;
    while (stop < end && !is_blank(*stop) && *stop != 0)
        stop++;
    if (is_cut && stop == last)
        return false;
    while (end > name && is_blank(end[-1]))
        end--;
    if (name == end || *name == 0)
        return false;
    char *argument = stop;
    while (argument < end && is_blank(*argument))
        argument++;
    *end = 0;
    level->argument = argument < end && *argument != 0 ? argument : NULL;
    *stop = 0;
    level->interpreter = name;
    return true;
}

static void recognise(struct program_level *level, long size)
{
    for (long i = size < 0 ? 0 : size; i <= PROGRAM_START_SIZE; i++)
        level->start[i] = 0;
    if (text_starts(level->start, "\177ELF"))
        level->kind = PROGRAM_ELF;
    else if (text_starts(level->start, "#!") && parse_script(level))
        level->kind = PROGRAM_SCRIPT;
}

static long look_at_plain(struct program_level *level)
{
    bool is_descriptor = level->path[0] == 0;
    long fd = is_descriptor ? level->directory : sys_openat(level->directory, level->path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    recognise(level, sys_pread((int)fd, level->start, PROGRAM_START_SIZE, 0));
    long error = level->kind == PROGRAM_ELF ? program_check_elf((int)fd, level->path) : 0;
    if (!is_descriptor)
        sys_close((int)fd);
    return error;
}

static long look_at(struct program_level *level)
{
    struct stat status;
    if (sys_fstatat(level->directory, level->path, &status, level->flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) < 0 ||
        !S_ISREG(status.st_mode))
        return 0;
    long error = program_check_mode(level->path, &status);
    if (error < 0)
        return error;
    level->is_sealed = (status.st_mode & S_ISVTX) != 0 && volumes_on_device(status.st_dev);
    if (!level->is_sealed) {
        error = look_at_plain(level);
        /* On a script they mean nothing. */
        return error < 0 || level->kind == PROGRAM_SCRIPT ? error : program_check_capabilities(level);
    }
    /* The kernel reads what may be executed but not read; the engine may not. */
    error = program_check_access(level->directory, level->path, level->flags);
    if (error == -ETXTBSY) {
        ENGINE_CALL(release_pages, level->path[0] == 0 ? level->directory : -1, level->directory, (long)level->path, level->flags);
        error = program_check_access(level->directory, level->path, level->flags);
    }
    if (error < 0)
        return error;
    long size = ENGINE_CALL(peek, level->path[0] == 0 ? level->directory : -1, level->directory, (long)level->path,
                            level->flags, (long)level->start, PROGRAM_START_SIZE);
    if (size < 0)
        return size;
    recognise(level, size);
    return 0;
}

long program_follow(int directory, const char *path, int flags, struct program_chain *chain)
{
    chain->count = 0;
    chain->last_sealed = -1;
    for (;;) {
        struct program_level *level = &chain->levels[chain->count];
        *level = (struct program_level){.directory = directory, .path = path, .flags = flags};
        long error = look_at(level);
        if (error < 0)
            return error;
        if (level->is_sealed)
            chain->last_sealed = chain->count;
        chain->count++;
        if (level->kind != PROGRAM_SCRIPT)
            return 0;
        if (chain->count == PROGRAM_LEVEL_LIMIT)
            return -ELOOP;
        directory = AT_FDCWD;
        path = level->interpreter;
        flags = 0;
    }
}
