/*
 * The constructor. With -z initfirst it runs before any other library's, whose constructors may already open files: until it has
 * run, nothing is patched and every call goes to the kernel; afterwards the filter is whole (design 4).
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>

#include "dispatch.h"
#include "doctor.h"
#include "engine_call.h"
#include "environment.h"
#include "fork.h"
#include "helper.h"
#include "lazy.h"
#include "log.h"
#include "patch.h"
#include "program_check.h"
#include "program_name.h"
#include "raw_program.h"
#include "self_check.h"
#include "syscalls.h"
#include "text.h"
#include "trace.h"
#include "trap.h"
#include "unprotected.h"
#include "volumes.h"

/* Three paths, one behind the other: apart they would touch a page each at every program's start. */
static LARGE char s_paths[3 * PATH_SIZE];
static const char *s_shim_path = s_paths;

/* liboverlay-engine.so lies beside this library (unless OVERLAY_ENGINE says otherwise). */
static void find_libraries(void)
{
    overlay_settings.start_path = overlay_settings.engine_path = "";
    static const char name[] = "liboverlay-engine.so", start_name[] = "overlay-start";
    Dl_info self;
    if (dladdr((void *)&find_libraries, &self) != 0 && self.dli_fname != NULL &&
        text_length(self.dli_fname) < PATH_SIZE - sizeof name) {
        size_t length = text_length(self.dli_fname);
        text_copy(s_paths, self.dli_fname, length + 1);
        char *engine_path = s_paths + length + 1;
        while (length > 0 && s_paths[length - 1] != '/')
            length--;
        char *start_path = engine_path + length + sizeof name;
        text_copy(engine_path, s_paths, length);
        text_copy(engine_path + length, name, sizeof name);
        text_copy(start_path, s_paths, length);
        text_copy(start_path + length, start_name, sizeof start_name);
        overlay_settings.engine_path = engine_path;
        overlay_settings.start_path = start_path;
    }
}

static void take_settings(char *const *own)
{
    const char *engine = environment_value(own, "OVERLAY_ENGINE");
    if (engine != NULL)
        overlay_settings.engine_path = engine;
    log_set(environment_value(own, "OVERLAY_LOG"));
    overlay_settings.volumes = environment_value(own, "OVERLAY_VOLUMES");
    overlay_settings.agent = environment_value(own, "OVERLAY_AGENT");
    overlay_settings.key_file = environment_value(own, "OVERLAY_KEY_FILE");
    overlay_settings.cache_size = environment_value(own, "OVERLAY_CACHE");
    helper_set(environment_value(own, "OVERLAY_HELPER"));
    const char *runtime = environment_value(own, "OVERLAY_RUNTIME_DIR");
    overlay_settings.runtime_entry = runtime != NULL ? runtime - sizeof "OVERLAY_RUNTIME_DIR" : NULL;
    overlay_trace_socket = environment_value(own, "OVERLAY_TRACE");
}

/* Asking for a program's path takes 11 us of 200; most are far smaller than overlay-ctl, which has 3.7 MB of code. */
#define OVERLAY_CTL_LEAST (1UL << 20)
static bool is_large(char **envp)
{
    const Elf64_Phdr *segments = NULL;
    uint64_t count = 0, size = 0;
    while (*envp != NULL)
        envp++;
    /* Behind the environment, and not by getauxval: each page of libc that is read before it is patched costs more (patch_pages.c). */
    for (const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(envp + 1); entry->a_type != AT_NULL; entry++) {
        segments = entry->a_type == AT_PHDR ? (const Elf64_Phdr *)entry->a_un.a_val : segments;
        count = entry->a_type == AT_PHNUM ? entry->a_un.a_val : count;
    }
    for (uint64_t i = 0; segments != NULL && i < count; i++)
        size += segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) != 0 ? segments[i].p_filesz : 0;
    return segments == NULL || size >= OVERLAY_CTL_LEAST;
}

/* overlay-ctl looks at volumes from outside, also when it is started by a program under the shim. */
static bool is_overlay_ctl(char **envp)
{
    static const char name[] = "/bin/overlay-ctl", library[] = "/lib/overlay/";
    char path[PATH_SIZE];
    if (!is_large(envp))
        return false;
    long length = sys_readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < (long)sizeof name)
        return false;
    path[length] = 0;
    size_t root = (size_t)length - (sizeof name - 1);
    if (!text_same(path + root, name))
        return false;
    path[root] = 0;
    return text_starts(s_shim_path, path) && text_starts(s_shim_path + root, library);
}

/* What tests ask: how many sites were found, patched, of no interest, and not patchable. */
struct overlay_patch_report overlay_patch_report __attribute__((visibility("default")));

/* Text that cannot be changed is left as it is, and all calls are trapped; a libc that is none we know may have others still. */
static bool can_do_without_patches(int result)
{
    return result == OVERLAY_PATCH_UNPATCHABLE || result == OVERLAY_PATCH_NO_MEMORY || result == OVERLAY_PATCH_TEXT_FIXED;
}

/* Also the sites of calls that are of interest only while there are mappings that are filled when they are touched, if that can be. */
static int install_with_lazy(const struct overlay_patch_options *options, const uint8_t *interest)
{
    static uint8_t lazy[CALL_LIMIT];
    struct overlay_patch_options more = *options;
    lazy_mark_interest(lazy);
    for (unsigned number = 0; number < CALL_LIMIT; number++)
        more.numbers[number / 64] |= (uint64_t)(lazy[number] != 0) << (number % 64);
    int result = overlay_patch_install(&more, &overlay_patch_report);
    overlay_lazy_is_possible = result != OVERLAY_PATCH_UNPATCHABLE;
    if (result == OVERLAY_PATCH_UNPATCHABLE)
        result = overlay_patch_install(options, &overlay_patch_report);
    for (unsigned number = 0; number < CALL_LIMIT && overlay_interest != NULL; number++)
        overlay_interest[number] = interest[number];
    return result;
}

static void install_patches(bool is_loader_patched, bool needs_traps)
{
    static uint8_t interest[CALL_LIMIT];
    struct overlay_patch_options options = {
        .include_loader = 1, /* dlopen of libraries in volumes */
        .restore_loader = is_loader_patched,
        .add_stubs = needs_traps,
    };
    dispatch_mark_interest(interest, needs_traps);
    for (unsigned number = 0; number < CALL_LIMIT; number++)
        options.numbers[number / 64] |= (uint64_t)(interest[number] != 0) << (number % 64);
    int result = install_with_lazy(&options, interest);
    if (result != OVERLAY_PATCH_OK && !can_do_without_patches(result))
        refuse_to_run(overlay_patch_explain(result), "so this program would write plaintext", -overlay_patch_report.error);
    if (result != OVERLAY_PATCH_OK)
        overlay_patch_report.stubs = (struct overlay_patch_stubs){0};
    long error = result != OVERLAY_PATCH_OK || needs_traps ? trap_begin(&overlay_patch_report.stubs) : 0;
    if (error < 0)
        refuse_to_run(result != OVERLAY_PATCH_OK ? overlay_patch_explain(result) : "this program makes system calls of its own",
                      "and this kernel has no Syscall User Dispatch (Linux 5.11), so it would write plaintext", error);
    const char *missed = self_check();
    if (missed != NULL)
        refuse_to_run(missed, "this libc reaches the kernel in a way that is not intercepted, so this program would write "
                              "plaintext", -ENOSYS);
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
    (void)argc;
    const char *volumes = environment_value(envp, "OVERLAY_VOLUMES");
    find_libraries();
    if (volumes == NULL || *volumes == 0 || is_overlay_ctl(envp))
        return; /* preloaded, but nothing to protect */

    char *const *own = environment_remember(envp, s_shim_path);
    if (own == NULL)
        refuse_to_run(*argv, "there is no memory for Overlay's settings", -ENOMEM);
    take_settings(own);
    overlay_own_pid = (int)overlay_raw_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0);
    const char *bad = volumes;
    long error = volumes_set(overlay_settings.volumes, &bad);
    if (error < 0)
        refuse_to_run(bad, "this volume of OVERLAY_VOLUMES cannot be used", error);
    program_allow_static(environment_value(envp, "OVERLAY_ALLOW_STATIC") != NULL);
    const struct raw_program raw = raw_program_look();
    bool needs_traps = raw.makes_calls || environment_value(envp, "OVERLAY_STRICT") != NULL;
    install_patches(program_name_adopt(envp), needs_traps);
    fork_watch(); /* behind the patches for the sake of libc's pages, which it reads */
    if (raw.is_go)
        trap_use_signal_stack();
    doctor_answer(envp, &overlay_patch_report);
}
