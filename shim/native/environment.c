#include "environment.h"

#include <linux/capability.h>
#include <sys/mman.h>

#include "exec_room.h"
#include "kept.h"
#include "program_name.h"
#include "syscalls.h"
#include "text.h"
#include "volumes.h"

static const char *const s_names[] = {
    "OVERLAY_VOLUMES=", "OVERLAY_AGENT=",       "OVERLAY_KEY_FILE=", "OVERLAY_ENGINE=", "OVERLAY_LOG=",
    "OVERLAY_TRACE=",   "OVERLAY_RUNTIME_DIR=", "OVERLAY_ALLOW_STATIC=", "OVERLAY_STRICT=", "OVERLAY_CACHE=",
    "OVERLAY_HELPER=",
};
#define NAME_COUNT (sizeof s_names / sizeof s_names[0])

static char *s_entries[NAME_COUNT + 1]; /* our own "NAME=value", copied */
static const char *s_shim_path;

static const char *find_entry(char *const *envp, const char *name_and_sign)
{
    for (; envp != NULL && *envp != NULL; envp++)
        if (text_starts(*envp, name_and_sign))
            return *envp;
    return NULL;
}

const char *environment_value(char *const *envp, const char *name)
{
    size_t length = text_length(name);
    for (; envp != NULL && *envp != NULL; envp++)
        if (text_starts(*envp, name) && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

/* Returns the place of the terminating zero. */
static char *append(char *target, const char *text)
{
    size_t length = text_length(text);
    text_copy(target, text, length + 1);
    return target + length;
}

char *const *environment_remember(char *const *envp, const char *shim_path)
{
    s_shim_path = shim_path;
    size_t size = 0, count = 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const char *entry = find_entry(envp, s_names[i]);
        size += entry != NULL ? text_length(entry) + 1 : 0;
    }
    long memory = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (overlay_is_error(memory))
        return NULL;
    char *next = (char *)memory;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const char *entry = find_entry(envp, s_names[i]);
        if (entry == NULL)
            continue;
        s_entries[count++] = next;
        next = append(next, entry) + 1;
    }
    return s_entries;
}

/* Has `envp` a value for the name of this entry, whatever it is? */
static bool has_name_of(char *const *envp, const char *entry)
{
    for (; envp != NULL && *envp != NULL; envp++) {
        size_t length = 0;
        while (entry[length] != '=' && (*envp)[length] == entry[length])
            length++;
        if ((*envp)[length] == '=' && entry[length] == '=')
            return true;
    }
    return false;
}

static bool can_open_shim(void)
{
    long fd = sys_openat(AT_FDCWD, s_shim_path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0)
        sys_close((int)fd);
    return fd >= 0;
}

bool environment_shim_is_reachable(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct held[2], none[2];
    if (overlay_raw_syscall6(SYS_geteuid, 0, 0, 0, 0, 0, 0) == 0 ||
        overlay_raw_syscall6(SYS_capget, (long)&header, (long)held, 0, 0, 0, 0) < 0 ||
        (held[0].effective | held[1].effective) == 0)
        return can_open_shim();
    /* Capabilities that a change of user left over (setpriv) end with the exec: asked without them, in this thread alone. */
    for (int i = 0; i < 2; i++) {
        none[i] = held[i];
        none[i].effective = 0;
    }
    if (overlay_raw_syscall6(SYS_capset, (long)&header, (long)none, 0, 0, 0, 0) < 0)
        return can_open_shim();
    bool is_reachable = can_open_shim();
    overlay_raw_syscall6(SYS_capset, (long)&header, (long)held, 0, 0, 0, 0);
    return is_reachable;
}

static bool preloads_us(const char *entry)
{
    size_t length = text_length(s_shim_path);
    for (const char *c = entry; c != NULL && *c != 0; c++)
        if (text_starts(c, s_shim_path) && (c[length] == 0 || c[length] == ':' || c[length] == ' '))
            return true;
    return false;
}

/* One folder or file of such a list; empty is the working directory. */
static bool leads_into_volume(const char *text, size_t length)
{
    char path[PATH_SIZE];
    if (length >= sizeof path)
        return false;
    text_copy(path, length == 0 ? "." : text, length == 0 ? 1 : length);
    path[length == 0 ? 1 : length] = 0;
    for (const char *c = path; *c != 0; c++)
        if (*c == '$')
            return true; /* $ORIGIN: the program's folder, wherever that is */
    if (volumes_locate(AT_FDCWD, path) != NULL)
        return true;
    long fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_inside = volumes_path_of((int)fd, path) && volumes_containing(path) != NULL;
    sys_close((int)fd);
    return is_inside;
}

bool environment_searches_volumes(char *const *envp)
{
    static const char *const names[] = {"LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT"};
    for (int i = 0; i < 3; i++) {
        const char *list = environment_value(envp, names[i]);
        /* Only a path of folders has empty entries; what preloads nothing but us needs no look. */
        bool has_folders = i == 0;
        while (list != NULL && (*list != 0 || has_folders)) {
            size_t length = 0;
            while (list[length] != 0 && list[length] != ':' && list[length] != ';' && !(list[length] == ' ' && !has_folders))
                length++;
            bool is_us = text_starts(list, s_shim_path) && length == text_length(s_shim_path);
            if ((length != 0 || has_folders) && !is_us && leads_into_volume(list, length))
                return true;
            if (list[length] == 0)
                break;
            list += length + 1;
        }
    }
    return false;
}

/* What never comes from a program: entries of an exec that is over. */
static bool is_stale(const char *entry)
{
    return text_starts(entry, PROGRAM_STARTED_AS) || text_starts(entry, PROGRAM_LOADER) || text_starts(entry, KEPT_VARIABLE);
}

struct listing {
    const char **entries;
    size_t count;
    char *text; /* where new strings go */
};

static void add(struct listing *list, const char *name_and_sign, const char *value)
{
    if (value == NULL)
        return;
    list->entries[list->count++] = list->text;
    list->text = append(append(list->text, name_and_sign), value) + 1;
}

char *const *environment_for_exec(char *const *envp, const struct environment_additions *additions,
                                  struct exec_room *room)
{
    static const char preload[] = "LD_PRELOAD=";
    const char *preload_entry = find_entry(envp, preload);
    bool needs_preload = !preloads_us(preload_entry), has_stale = false;
    size_t missing = 0, count = 0;
    for (char **own = s_entries; *own != NULL; own++)
        missing += !has_name_of(envp, *own);
    for (; envp != NULL && envp[count] != NULL; count++)
        has_stale |= is_stale(envp[count]);
    if (!needs_preload && missing == 0 && !has_stale && additions->started_as == NULL && additions->kept == NULL)
        return envp;

    const char *others = preload_entry != NULL ? preload_entry + sizeof preload - 1 : "";
    size_t text_size = sizeof preload + text_length(s_shim_path) + 1 + text_length(others) + 1;
    if (additions->started_as != NULL)
        text_size += sizeof PROGRAM_STARTED_AS + text_length(additions->started_as);
    if (additions->loader != NULL)
        text_size += sizeof PROGRAM_LOADER + text_length(additions->loader);
    if (additions->kept != NULL)
        text_size += sizeof KEPT_VARIABLE + text_length(additions->kept);
    size_t entry_limit = count + missing + 5;
    char *memory = exec_room_take(room, entry_limit * sizeof(char *) + text_size);
    if (memory == NULL)
        return NULL;
    struct listing list = {(const char **)memory, 0, memory + entry_limit * sizeof(char *)};
    for (size_t i = 0; i < count; i++)
        if (!(needs_preload && envp[i] == preload_entry) && !is_stale(envp[i]))
            list.entries[list.count++] = envp[i];
    for (char **own = s_entries; *own != NULL; own++)
        if (!has_name_of(envp, *own))
            list.entries[list.count++] = *own;
    if (needs_preload) {
        add(&list, preload, s_shim_path);
        if (*others != 0)
            list.text = append(append(list.text - 1, ":"), others) + 1;
    }
    add(&list, PROGRAM_STARTED_AS, additions->started_as);
    add(&list, PROGRAM_LOADER, additions->loader);
    add(&list, KEPT_VARIABLE, additions->kept);
    list.entries[list.count] = NULL;
    return (char *const *)memory;
}
