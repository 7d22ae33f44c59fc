/*
 * execve, execveat. The kernel runs what lies outside of volumes; of a sealed program it would see ciphertext. Then the script's
 * line is read for it, or the program put into memory (exec_image.h) and that executed; so is a plain one whose libraries the
 * environment lets the loader look for in a volume.
 */
#include <errno.h>

#include "calls.h"
#include "engine_call.h"
#include "environment.h"
#include "exec_image.h"
#include "exec_room.h"
#include "helper.h"
#include "kept.h"
#include "own_stack.h"
#include "program_check.h"
#include "program_look.h"
#include "program_name.h"
#include "reachable.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

#define FD_NAME_SIZE (PATH_SIZE + 32)

/* What exec was asked for. */
struct request {
    int directory, flags;
    const char *path;
    char *const *argv, *const *envp;
    const char *kept; /* kept.h */
};

/* What the kernel calls a program given by a descriptor: /dev/fd/N, /dev/fd/N/PATH. False: a script could not be found there. */
static bool name_of(const struct request *request, bool is_script, char text[FD_NAME_SIZE], const char **name)
{
    *name = request->path;
    if (request->path[0] == '/' || request->directory == AT_FDCWD)
        return true;
    static const char prefix[] = "/dev/fd/";
    size_t length = sizeof prefix - 1, rest = text_length(request->path);
    text_copy(text, prefix, length);
    length += text_decimal(text + length, (unsigned)request->directory);
    if (rest > 0)
        text[length++] = '/';
    if (length + rest >= FD_NAME_SIZE)
        return false;
    text_copy(text + length, request->path, rest + 1);
    *name = text;
    return !is_script || (sys_fcntl(request->directory, F_GETFD, 0) & FD_CLOEXEC) == 0;
}

/* INTERPRETER [ARGUMENT] SCRIPT ARGUMENTS..., for each script of a chain around the one before. NULL: out of memory. */
static char *const *make_arguments(const struct program_chain *chain, int scripts, const char *name, char *const *argv,
                                   struct exec_room *room)
{
    if (scripts == 0)
        return argv;
    size_t count = 0;
    while (argv != NULL && argv[count] != NULL)
        count++;
    const char **list = exec_room_take(room, (count + 2 * (size_t)scripts + 2) * sizeof(char *)), **next = list;
    if (list == NULL)
        return NULL;
    for (int i = scripts - 1; i >= 0; i--) {
        *next++ = chain->levels[i].interpreter;
        if (chain->levels[i].argument != NULL)
            *next++ = chain->levels[i].argument;
    }
    *next++ = name;
    for (size_t i = 1; i < count; i++)
        *next++ = argv[i];
    *next = NULL;
    return (char *const *)list;
}

static long run(const struct exec_image *image, const char *interpreter, char *const *argv, char *const *envp)
{
    return image->fd >= 0
               ? overlay_raw_syscall6(SYS_execveat, image->fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH, 0)
               : overlay_raw_syscall6(SYS_execve, (long)interpreter, (long)argv, (long)envp, 0, 0, 0);
}

/* `scripts` levels are scripts; then comes `image`, or the last script's interpreter, for the kernel. */
static long run_as(const struct request *request, const struct program_chain *chain, int scripts, const char *name,
                   const struct exec_image *image)
{
    struct exec_room room;
    exec_room_begin(&room);
    /* A static program (where they are allowed) has no constructor of ours to take the name away again. */
    const bool is_static = image->fd >= 0 && !image->has_loader;
    const struct environment_additions additions = {is_static ? NULL : name, image->start >= 0 ? image->loader : NULL,
                                                   is_static ? NULL : request->kept};
    const char *interpreter = image->fd >= 0 ? NULL : chain->levels[scripts - 1].interpreter;
    char *const *argv = make_arguments(chain, scripts, name, request->argv, &room);
    char *const *envp = environment_for_exec(request->envp, &additions, &room);
    long error = envp == NULL || (argv == NULL && scripts > 0) ? -ENOMEM : run(image, interpreter, argv, envp);
    exec_room_end(&room);
    return error;
}

/* Does the kernel's work up to level `last`. Answers only if it fails. */
static long exec_ours(const struct request *request, const struct program_chain *chain, int last, bool searches_volumes)
{
    for (int i = 0; i <= last; i++) {
        const struct program_level *level = &chain->levels[i];
        long error = level->is_sealed ? 0 : program_check_access(level->directory, level->path, level->flags);
        if (error < 0)
            return error;
    }
    const struct program_level *level = &chain->levels[last];
    if (level->kind == PROGRAM_UNKNOWN)
        return -ENOEXEC;
    char text[FD_NAME_SIZE];
    const char *name;
    if (!name_of(request, chain->levels[0].kind == PROGRAM_SCRIPT, text, &name))
        return -ENOENT;
    struct exec_image image = {.fd = -1, .start = -1};
    long error = 0;
    if (level->kind == PROGRAM_ELF) {
        error = exec_image_make(level, searches_volumes, &image);
        if (error >= 0)
            error = program_check_elf(image.fd, level->path);
    }
    if (error >= 0)
        error = run_as(request, chain, last + (level->kind == PROGRAM_SCRIPT), name, &image);
    exec_image_close(&image);
    return error;
}

/* The loader started by hand, as ldd does, for a program in a volume: overlay-start takes its place from the beginning. */
static bool is_loader_for_volume(const struct request *request, const struct program_chain *chain)
{
    if (chain->levels[0].kind != PROGRAM_ELF || chain->levels[0].is_sealed || !program_is_loader(request->path))
        return false;
    for (char *const *argument = request->argv; argument != NULL && *argument != NULL; argument++)
        if (volumes_locate(AT_FDCWD, *argument) != NULL)
            return true;
    return false;
}

static long exec_loader(const struct request *request)
{
    struct exec_room room;
    exec_room_begin(&room);
    const struct environment_additions additions = {request->path, request->path, request->kept};
    char *const *envp = environment_for_exec(request->envp, &additions, &room);
    long error = envp == NULL ? -ENOMEM
                              : overlay_raw_syscall6(SYS_execve, (long)overlay_settings.start_path, (long)request->argv,
                                                     (long)envp, 0, 0, 0);
    exec_room_end(&room);
    return error;
}

static int exec_plain(struct overlay_call *call, const struct request *request, int environment_index)
{
    struct exec_room room;
    exec_room_begin(&room);
    char *const *envp = environment_for_exec(request->envp, &(struct environment_additions){.kept = request->kept}, &room);
    if (envp == NULL)
        return answer(call, -ENOMEM);
    if (envp == request->envp)
        return PASS;
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = call->args[i];
    arguments[environment_index] = (long)envp;
    long result = overlay_raw_syscall6(call->number, arguments[0], arguments[1], arguments[2], arguments[3],
                                       arguments[4], arguments[5]);
    exec_room_end(&room);
    return answer(call, result);
}

static int exec_by_kind(struct overlay_call *call, const struct request *request, const struct program_chain *chain,
                        int environment_index)
{
    if (is_loader_for_volume(request, chain))
        return answer(call, exec_loader(request));
    bool searches_volumes = environment_searches_volumes(request->envp);
    int last = searches_volumes && chain->levels[chain->count - 1].kind == PROGRAM_ELF ? chain->count - 1 : chain->last_sealed;
    return last >= 0 ? answer(call, exec_ours(request, chain, last, searches_volumes))
                     : exec_plain(call, request, environment_index);
}

/* A list of texts that ends with NULL, or no list. */
static bool can_read_list(char *const *list)
{
    for (; list != NULL; list++) {
        if (!can_read(list, sizeof *list))
            return false;
        if (*list == NULL)
            break;
        if (!can_read_start(*list))
            return false;
    }
    return true;
}

static long exec_apart(const long *arguments)
{
    struct overlay_call *call = (struct overlay_call *)arguments[0];
    struct request *request = (struct request *)arguments[1];
    int environment_index = (int)arguments[2];
    if (!can_read_path(request->path) || !can_read_list(request->argv) || !can_read_list(request->envp) ||
        (request->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0 || (request->path[0] == 0 && (request->flags & AT_EMPTY_PATH) == 0))
        return PASS;
    if (volumes_hides(request->directory, request->path))
        return answer(call, -ENOENT);
    struct program_chain chain;
    long error = program_follow(request->directory, request->path, request->flags, &chain);
    if (error >= 0)
        error = program_check_shim(&chain.levels[0]);
    if (error >= 0)
        error = program_check_users(&chain.levels[0]);
    if (error < 0)
        return answer(call, error);
    process_settle();
    /* It would end in the exec; but before Linux 5.11 the process's locks would be lost, since two have its table of descriptors. */
    if (!is_borrowed_memory())
        helper_end();
    struct kept kept;
    request->kept = kept_begin(&kept);
    int handled = exec_by_kind(call, request, &chain, environment_index);
    kept_end(&kept);
    return handled;
}

static int exec_call(struct overlay_call *call, struct request *request, int environment_index)
{
    return (int)own_stack_run_apart(exec_apart, (const long[]){(long)call, (long)request, environment_index});
}

int on_execve(struct overlay_call *call)
{
    struct request request = {AT_FDCWD, 0, (const char *)call->args[0], (char *const *)call->args[1],
                              (char *const *)call->args[2], NULL};
    return exec_call(call, &request, 2);
}

int on_execveat(struct overlay_call *call)
{
    struct request request = {(int)call->args[0], (int)call->args[4], (const char *)call->args[1],
                              (char *const *)call->args[2], (char *const *)call->args[3], NULL};
    return exec_call(call, &request, 3);
}
