/* No page is ever writable and executable at once. One mprotect over the whole segment and one back cost less than a
 * pair for each page: only the pages written to are copied. Nothing here may become a call into libc (memset!), whose
 * text is not executable meanwhile; the Makefile compiles this file accordingly. */
#include "patch_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "patch_pages.h"
#include "raw_syscall.h"

#define PAGE 4096UL
#define PR_GET_MDWE_NUMBER 66
#define EXIT_TEXT_LOST 126

static uintptr_t first_page(const struct patch_module *module)
{
    return module->text & ~(PAGE - 1);
}

static size_t page_bytes(const struct patch_module *module)
{
    return ((module->text_end + PAGE - 1) & ~(PAGE - 1)) - first_page(module);
}

static long protect(const struct patch_module *module, int protection)
{
    return overlay_raw_syscall3(SYS_mprotect, (long)first_page(module), (long)page_bytes(module), protection);
}

static void write_jump(uintptr_t at, uintptr_t target)
{
    volatile uint8_t *code = (volatile uint8_t *)at;
    uint32_t relative = (uint32_t)(target - (at + PATCH_JUMP_SIZE));
    code[0] = 0xe9;
    for (int i = 0; i < 4; i++)
        code[1 + i] = (uint8_t)(relative >> (8 * i));
}

static void write_site(const struct overlay_patch_site *site)
{
    volatile uint8_t *code = (volatile uint8_t *)site->start;
    int written = PATCH_JUMP_SIZE;

    if (site->fate == OVERLAY_SITE_CALLERS) {
        uint8_t call_or_jump = code[0];
        write_jump(site->start, site->slot);
        code[0] = call_or_jump;
        return;
    }
    if (site->springboard) {
        write_jump(site->springboard, site->slot);
        code[0] = 0xeb;
        code[1] = (uint8_t)(site->springboard - (site->start + PATCH_SHORT_JUMP_SIZE));
        written = PATCH_SHORT_JUMP_SIZE;
    } else {
        write_jump(site->start, site->slot);
    }
    for (; written < site->overwritten; written++)
        code[written] = 0x90;    /* so that the text still disassembles */
}

/* syscall; ret. mov $15,%rax; syscall (in the bytes by which unwinders know a signal's frame). int3: the kernel looks at the address
 * behind a system call. */
static const uint8_t s_stubs[] = {0x0f, 0x05, 0xc3, 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xcc};

struct overlay_patch_stubs overlay_text_stubs(const struct patch_module *module)
{
    uintptr_t end = first_page(module) + page_bytes(module);
    if (end - module->text_end < sizeof s_stubs)
        return (struct overlay_patch_stubs){0};
    return (struct overlay_patch_stubs){module->text, end, module->text_end, module->text_end + 3};
}

static void write_stubs(const struct patch_module *module)
{
    volatile uint8_t *code = (volatile uint8_t *)module->text_end;
    for (unsigned i = 0; i < sizeof s_stubs; i++)
        code[i] = s_stubs[i];
}

static int is_in(const struct patch_module *module, const struct overlay_patch_site *site)
{
    return site->start >= module->text && site->start < module->text_end;
}

static int is_as_expected(const struct overlay_patch_site *site)
{
    uint8_t size = site->fate == OVERLAY_SITE_CALLERS ? site->overwritten : site->moved;
    for (uint8_t i = 0; i < size; i++)
        if (((const uint8_t *)site->start)[i] != site->code[i])
            return 0;
    return ((const uint8_t *)site->syscall)[0] == 0x0f && ((const uint8_t *)site->syscall)[1] == 0x05;
}

static int is_all_as_expected(const struct patch_module *module, const struct patch_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (is_in(module, &plan->sites[i]) && plan->sites[i].code && !is_as_expected(&plan->sites[i]))
            return 0;
    return 1;
}

long overlay_text_patch(const struct patch_module *module, const struct patch_plan *plan)
{
    long result = protect(module, PROT_READ | PROT_WRITE);
    if (overlay_is_error(result))
        return result;
    overlay_pages_take(module, plan);
    int is_expected = is_all_as_expected(module, plan);
    for (uint32_t i = 0; is_expected && i < plan->count; i++)
        if (is_in(module, &plan->sites[i]))
            write_site(&plan->sites[i]);
    if (is_expected && module->is_libc && plan->has_stubs)
        write_stubs(module);
    result = protect(module, PROT_READ | PROT_EXEC);
    if (overlay_is_error(result))
        overlay_text_restore(module);
    return !overlay_is_error(result) && !is_expected ? -ESTALE : result;
}

void overlay_text_restore(const struct patch_module *module)
{
    static const char message[] = "overlay: cannot make the program's text executable again\n";
    long file = overlay_raw_syscall3(SYS_open, (long)module->path, O_RDONLY | O_CLOEXEC, 0);
    long result = file;

    if (!overlay_is_error(file)) {
        uint64_t offset = module->text_file_offset & ~(PAGE - 1);
        result = overlay_raw_syscall6(SYS_mmap, (long)first_page(module), (long)page_bytes(module),
                                      PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, (long)offset);
        overlay_raw_syscall3(SYS_close, file, 0, 0);
    }
    if (overlay_is_error(result)) {
        overlay_raw_syscall3(SYS_write, 2, (long)message, sizeof message - 1);
        overlay_raw_syscall3(SYS_exit_group, EXIT_TEXT_LOST, 0, 0);
    }
}

int overlay_text_is_fixed(void)
{
    long bits = overlay_raw_syscall6(SYS_prctl, PR_GET_MDWE_NUMBER, 0, 0, 0, 0, 0);
    return !overlay_is_error(bits) && (bits & 1);
}
