/* Which bytes are system calls of a program's own, and which only look like it? A module is laid out by hand, with no table of functions; and
 * this program is looked at as well, which has one. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../shim/native/dispatch.h"
#include "../../../shim/native/raw_scan.h"

/* What raw_scan asks the filter: these two matter. */
void dispatch_mark_interest(uint8_t interest[CALL_LIMIT], bool has_traps)
{
    (void)has_traps;
    interest[SYS_read] = interest[SYS_write] = 1;
}

long overlay_filter(struct overlay_call *call) { return call->result; }

static struct function_scratch s_scratch;
static int s_failures;

static void expect(const char *what, enum raw_verdict expected, enum raw_verdict found)
{
    if (expected != found) {
        fprintf(stderr, "%s: %d, not %d\n", what, (int)found, (int)expected);
        s_failures++;
    }
}

/* The code stands behind 200 bytes of others', and before as many. */
static enum raw_verdict judge(const void *code, size_t size, int filler)
{
    static unsigned char text[4096];
    memset(text, filler, sizeof text);
    memcpy(text + 200, code, size);
    const Elf64_Phdr header = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0, .p_filesz = 400 + size, .p_memsz = 400 + size};
    return raw_scan((uintptr_t)text, &header, 1, &s_scratch);
}

#define NOP 0x90
#define CODE(what, expected, ...)                                                                                      \
    do {                                                                                                               \
        const unsigned char code[] = {__VA_ARGS__};                                                                    \
        expect(what, expected, judge(code, sizeof code, NOP));                                                         \
    } while (0)

static void undescribed_code(void)
{
    CODE("nothing", RAW_NONE, 0xc3);
    CODE("mov $1,%eax; syscall", RAW_CALLS, 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xc3);
    CODE("mov $1,%rax; syscall", RAW_CALLS, 0x48, 0xc7, 0xc0, 1, 0, 0, 0, 0x0f, 0x05, 0xc3);
    CODE("xor %eax,%eax; syscall", RAW_CALLS, 0x31, 0xc0, 0x0f, 0x05, 0xc3);
    CODE("push $1; pop %rax; syscall", RAW_CALLS, 0x6a, 1, 0x58, 0x0f, 0x05, 0xc3);
    CODE("mov %rdi,%rax; mov %rsi,%rdi; syscall", RAW_CALLS, 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x0f, 0x05, 0xc3);
    CODE("mov 8(%rsp),%rax; syscall, as Go", RAW_CALLS, 0x48, 0x8b, 0x44, 0x24, 8, 0x0f, 0x05, 0xc3);
    CODE("pop %rax; syscall", RAW_DOUBTFUL, 0x58, 0x0f, 0x05, 0xc3);
    CODE("mov $39,%eax; syscall: getpid", RAW_NONE, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3);
    CODE("mov $39,%r8d; syscall", RAW_CALLS, 0xb8, 1, 0, 0, 0, 0x41, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3);
    CODE("jmp over the bytes", RAW_NONE, 0xe9, 0xf4, 0x0f, 0x05, 0x00);
    CODE("mov from a place at such a distance", RAW_NONE, 0x48, 0x8b, 0x05, 0xf9, 0x0f, 0x05, 0x00);
    CODE("a constant", RAW_NONE, 0x48, 0x81, 0xc1, 0x00, 0x0f, 0x05, 0x00);
}

static void data(void)
{
    const unsigned char table[] = {0x8b, 4, 0, 0, 0x8f, 4, 0, 0, 0x0b, 5, 0, 0, 0x0f, 5, 0, 0, 0x13, 5, 0, 0};
    enum raw_verdict verdict = judge(table, sizeof table, 0);
    expect("a table of numbers", RAW_DOUBTFUL, verdict == RAW_NONE ? RAW_DOUBTFUL : verdict);
}

/* In functions that this program's own table describes. */
__attribute__((noinline)) long write_nothing(void)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_write), "D"(-1), "S"(0), "d"(0) : "rcx", "r11", "memory");
    return result;
}

static int look_at_ours(struct dl_phdr_info *module, size_t size, void *verdict)
{
    (void)size;
    *(enum raw_verdict *)verdict = raw_scan(module->dlpi_addr, module->dlpi_phdr, module->dlpi_phnum, &s_scratch);
    return 1; /* the first is the program */
}

/* A table of functions that says more than there is must not lead anywhere else. */
static void broken_table(void)
{
    unsigned char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const unsigned char code[] = {0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xc3}, frame[] = {1, 0x1b, 3, 0x3b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f};
    mprotect(memory + 4096, 4096, PROT_NONE);
    memset(memory, NOP, 4096);
    memcpy(memory + 512, code, sizeof code);
    memcpy(memory + 4000, frame, sizeof frame);
    const Elf64_Phdr headers[] = {
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 4096, .p_memsz = 4096},
        {.p_type = PT_GNU_EH_FRAME, .p_vaddr = 4000, .p_filesz = 96},
    };
    expect("a broken table", RAW_CALLS, raw_scan((uintptr_t)memory, headers, 2, &s_scratch));
    int32_t wild[2] = {512 - 4000, 0x70000000};
    memory[4008] = 1, memory[4009] = memory[4010] = memory[4011] = 0;
    memcpy(memory + 4012, wild, sizeof wild);
    expect("a wild entry", RAW_CALLS, raw_scan((uintptr_t)memory, headers, 2, &s_scratch));
    munmap(memory, 8192);
}

int main(void)
{
    enum raw_verdict ours = RAW_NONE;
    undescribed_code();
    data();
    broken_table();
    dl_iterate_phdr(look_at_ours, &ours);
    expect("this program", RAW_CALLS, ours);
    if (write_nothing() != -9 || s_failures != 0)
        return 1;
    puts("calls found");
    return 0;
}
