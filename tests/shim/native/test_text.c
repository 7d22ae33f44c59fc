/* Systems that do not let a program's text be changed: the installer says so and leaves a working libc behind. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../../shim/native/patch_text.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static unsigned long s_seen;
static long s_last_number;

GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    s_last_number = call->number;
    s_seen++;
    return PASS_ON;
}

static int try_to_install(struct overlay_patch_report *report)
{
    struct overlay_patch_options options = { 0 };
    want_all(&options);
    return overlay_patch_install(&options, report);
}

static void in_child(void (*test)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        test();
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

static void libc_is_as_it_was(void)
{
    unsigned long before = s_seen;
    char text[64];
    FILE *file = fopen("/proc/self/comm", "r");
    CHECK(file && fgets(text, sizeof text, file));
    fclose(file);
    CHECK(s_seen == before);
}

static void mdwe_is_noticed(void)
{
    struct overlay_patch_report report;
    if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
        return;    /* a kernel before 6.3 */
    CHECK(try_to_install(&report) == OVERLAY_PATCH_TEXT_FIXED);
    libc_is_as_it_was();
}

/* What systemd's MemoryDenyWriteExecute does on older kernels. */
static void seccomp_is_noticed(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    struct overlay_patch_report report;
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    CHECK(try_to_install(&report) == OVERLAY_PATCH_TEXT_FIXED);
    CHECK(report.error == EPERM);
    libc_is_as_it_was();
}

/* SELinux's execmod refuses only the text itself, after it was changed: what is done then is done here by hand. */
static void text_is_restored(void)
{
    static unsigned char before[4 << 20];
    struct patch_module modules[PATCH_MODULE_LIMIT];
    struct overlay_patch_report report;
    int libc = 0, count = overlay_modules_find(0, modules);

    while (libc < count && !modules[libc].is_libc)
        libc++;
    CHECK(libc < count);
    const struct patch_module *module = &modules[libc];
    size_t size = module->text_end - module->text;
    CHECK(size <= sizeof before);
    memcpy(before, (void *)module->text, size);
    CHECK(try_to_install(&report) == OVERLAY_PATCH_OK);
    CHECK(memcmp(before, (void *)module->text, size) != 0);
    getc(fopen("/proc/self/comm", "r"));
    CHECK(s_seen > 0);
    overlay_text_restore(module);
    CHECK(memcmp(before, (void *)module->text, size) == 0);
    libc_is_as_it_was();
}

/* Between two calls of the installer's the text is never writable, and nothing else ever is both. */
static void nothing_is_writable_and_executable(void)
{
    struct overlay_patch_report report;
    char line[512];
    CHECK(try_to_install(&report) == OVERLAY_PATCH_OK);
    CHECK(report.found > 400 && report.patched > 50 && report.unpatchable_wanted == 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    while (fgets(line, sizeof line, maps)) {
        CHECK(!strstr(line, " rwxp "));
        CHECK(!(strstr(line, "libc.so.6") && strstr(line, " -w")));
    }
    fclose(maps);
}

/* A libc that is not what its build id says (somebody else has patched it): what is there is what counts. */
static void changed_text_is_analysed(void)
{
    static const unsigned char rmdir_code[] = { 0xb8, SYS_rmdir, 0, 0, 0, 0x0f, 0x05 };
    unsigned char *code = (unsigned char *)rmdir, *page = (unsigned char *)((uintptr_t)code & -4096UL);
    struct overlay_patch_report report;
    CHECK(memcmp(code, rmdir_code, sizeof rmdir_code) == 0);
    CHECK(mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    code[1] = SYS_unlink;
    CHECK(mprotect(page, 8192, PROT_READ | PROT_EXEC) == 0);
    CHECK(try_to_install(&report) == OVERLAY_PATCH_OK);
    CHECK(report.known_modules == 0);
    CHECK(rmdir("") < 0);
    CHECK(s_last_number == SYS_unlink);
}

int main(void)
{
    in_child(mdwe_is_noticed);
    in_child(seccomp_is_noticed);
    in_child(text_is_restored);
    in_child(nothing_is_writable_and_executable);
    in_child(changed_text_is_analysed);
    printf("text respected\n");
    return 0;
}
