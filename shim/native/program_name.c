#include "program_name.h"

#include <elf.h>
#include <linux/prctl.h>

#include "kept.h"
#include "syscalls.h"
#include "text.h"

static const char *last_part(const char *path)
{
    const char *part = path;
    for (const char *c = path; *c != 0; c++)
        if (*c == '/')
            part = c + 1;
    return part;
}

static void set_execfn(char **end_of_environment, const char *name)
{
    for (Elf64_auxv_t *entry = (Elf64_auxv_t *)(end_of_environment + 1); entry->a_type != AT_NULL; entry++)
        if (entry->a_type == AT_EXECFN)
            entry->a_un.a_val = (uint64_t)name;
}

/* The kernel names a process for the file that was executed; of a descriptor it would know the number only. */
static void set_process_name(const char *name)
{
    char target[PATH_SIZE];
    const char *path = NULL;
    if (text_starts(name, "/dev/fd/") && last_part(name) == name + sizeof "/dev/fd/" - 1)
        path = program_link_image(target, sys_readlink("/proc/self/exe", target, sizeof target - 1));
    overlay_raw_syscall6(SYS_prctl, PR_SET_NAME, (long)last_part(path != NULL ? path : name), 0, 0, 0, 0);
}

bool program_name_adopt(char **envp)
{
    const char *name = NULL;
    bool has_start = false;
    char **kept = envp, **entry = envp;
    for (; *entry != NULL; entry++) {
        if (text_starts(*entry, PROGRAM_STARTED_AS))
            name = *entry + sizeof PROGRAM_STARTED_AS - 1;
        else if (text_starts(*entry, PROGRAM_LOADER))
            has_start = true;
        else if (text_starts(*entry, KEPT_VARIABLE))
            kept_adopt(*entry + sizeof KEPT_VARIABLE - 1);
        else
            *kept++ = *entry;
    }
    *kept = NULL;
    if (name != NULL) {
        set_execfn(entry, name);
        set_process_name(name);
        program_link_set_own(name);
    }
    return has_start;
}
