#include "environment.h"

#include <linux/capability.h>
#include <sys/mman.h>

#include "program_name.h"
#include "syscalls.h"
#include "text.h"

static const char *const s_names[] = {
    "OVERLAY_VOLUMES=", "OVERLAY_AGENT=",       "OVERLAY_KEY_FILE=", "OVERLAY_ENGINE=", "OVERLAY_LOG=",
    "OVERLAY_TRACE=",   "OVERLAY_RUNTIME_DIR=", "OVERLAY_ALLOW_STATIC=",
};
#define NAME_COUNT (sizeof s_names / sizeof s_names[0])

static const char *s_entries[NAME_COUNT]; /* our own "NAME=value", or NULL */
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

void environment_remember(char *const *envp, const char *shim_path)
{
    s_shim_path = shim_path;
    for (size_t i = 0; i < NAME_COUNT; i++)
        s_entries[i] = find_entry(envp, s_names[i]);
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

/* Returns the place of the terminating zero. */
static char *append(char *target, const char *text)
{
    size_t length = text_length(text);
    text_copy(target, text, length + 1);
    return target + length;
}

char *const *environment_for_exec(char *const *envp, const char *started_as, size_t *mapping_size)
{
    static const char preload[] = "LD_PRELOAD=", started[] = PROGRAM_STARTED_AS;
    const char *preload_entry = find_entry(envp, preload), *stale_entry = find_entry(envp, started);
    bool needs_preload = !preloads_us(preload_entry);
    size_t missing = 0, count = 0;
    for (size_t i = 0; i < NAME_COUNT; i++)
        missing += s_entries[i] != NULL && find_entry(envp, s_names[i]) == NULL;
    *mapping_size = 0;
    if (!needs_preload && missing == 0 && started_as == NULL && stale_entry == NULL)
        return envp;

    while (envp != NULL && envp[count] != NULL)
        count++;
    const char *others = preload_entry != NULL ? preload_entry + sizeof preload - 1 : "";
    size_t text_size = sizeof preload + text_length(s_shim_path) + 1 + text_length(others) + 1;
    if (started_as != NULL)
        text_size += sizeof started + text_length(started_as);
    size_t size = (count + missing + 3) * sizeof(char *) + text_size;
    long address = overlay_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address < 0 && address > -4096)
        return NULL;
    *mapping_size = size;

    const char **copy = (const char **)address;
    char *text = (char *)(copy + count + missing + 3);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!(needs_preload && envp[i] == preload_entry) && envp[i] != stale_entry)
            copy[used++] = envp[i];
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (s_entries[i] != NULL && find_entry(envp, s_names[i]) == NULL)
            copy[used++] = s_entries[i];
    if (needs_preload) {
        copy[used++] = text;
        text = append(append(text, preload), s_shim_path);
        if (*others != 0)
            text = append(append(text, ":"), others);
        text++;
    }
    if (started_as != NULL) {
        copy[used++] = text;
        append(append(text, started), started_as);
    }
    copy[used] = NULL;
    return (char *const *)copy;
}

void environment_release(char *const *copy, size_t mapping_size)
{
    if (mapping_size != 0)
        overlay_raw_syscall6(SYS_munmap, (long)copy, (long)mapping_size, 0, 0, 0, 0);
}
