/* registers: a trapped call changes %rax, %rcx and %r11 and nothing else: not the flags, the vector registers, or what lies below the stack. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "raw.h"

struct state {
    uint64_t general[14]; /* rbx rbp rdi rsi rdx r8 r9 r10 r12 r13 r14 r15 flags, what lay below %rsp */
    uint64_t vector[16][2];
    long result;
};

/* call_with(number, descriptor, buffer, size, after) */
__attribute__((naked)) static void call_with(long number, long fd, const void *buffer, long size, struct state *after)
{
    (void)number, (void)fd, (void)buffer, (void)size, (void)after;
    __asm__("push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %r8\n"
            "mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx\n"
            "mov $0x1b, %ebx; mov $0x1e, %ebp; mov $0x12, %r12; mov $0x13, %r13; mov $0x14, %r14; mov $0x15, %r15\n"
            "mov $0, %r10d; mov $0x18, %r8; mov $0x19, %r9\n"
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
            "movq %rsp, %xmm\\n; pslldq $8, %xmm\\n; por %xmm\\n, %xmm\\n\n"
            ".endr\n"
            "movq $0x5ed, -8(%rsp); movq $0x5ee, -128(%rsp)\n"
            "stc; std\n"
            "syscall\n"
            "pushfq; cld\n" /* over the red zone's first word, which is looked at below */
            "pop %r11\n"
            "mov (%rsp), %rcx\n"
            "mov %rbx, 0(%rcx); mov %rbp, 8(%rcx); mov %rdi, 16(%rcx); mov %rsi, 24(%rcx); mov %rdx, 32(%rcx)\n"
            "mov %r8, 40(%rcx); mov %r9, 48(%rcx); mov %r10, 56(%rcx); mov %r12, 64(%rcx); mov %r13, 72(%rcx)\n"
            "mov %r14, 80(%rcx); mov %r15, 88(%rcx); mov %r11, 96(%rcx)\n"
            "mov -128(%rsp), %rbx; mov %rbx, 104(%rcx)\n"
            "lea 112(%rcx), %rbx\n"
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
            "movdqu %xmm\\n, 16*\\n(%rbx)\n"
            ".endr\n"
            "mov %rax, 256(%rbx)\n"
            "pop %r8; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret");
}

static void look(long number, long fd, const void *buffer, long size, long result)
{
    struct state state;
    memset(&state, 0, sizeof state);
    call_with(number, fd, buffer, size, &state);
    const uint64_t expected[12] = {0x1b, 0x1e, (uint64_t)fd, (uint64_t)buffer, (uint64_t)size, 0x18, 0x19, 0, 0x12, 0x13, 0x14, 0x15};
    CHECK(state.result == result);
    for (int i = 0; i < 12; i++)
        CHECK(state.general[i] == expected[i]);
    CHECK((state.general[12] & 0x401) == 0x401); /* carry and direction */
    CHECK(state.general[13] == 0x5ee);
    for (int i = 0; i < 16; i++)
        CHECK(state.vector[i][0] == 0 && state.vector[i][1] == state.vector[0][1] && state.vector[0][1] != 0);
}

int main(void)
{
    static char text[70000];
    memset(text, 'r', sizeof text);
    long sealed = raw(SYS_open, (long)"registers.file", O_RDWR | O_CREAT | O_TRUNC, 0644), null = raw(SYS_open, (long)"/dev/null", O_RDWR, 0);
    CHECK(sealed >= 0 && null >= 0);
    for (int i = 0; i < 300; i++) {
        look(SYS_write, null, text, 10, 10);                 /* the kernel's */
        look(SYS_write, sealed, text, sizeof text, sizeof text); /* the engine's */
        look(SYS_lseek, sealed, NULL, SEEK_SET, 0);
        look(SYS_write, -1, text, 10, -EBADF);
        look(SYS_getppid, 0, NULL, 0, getppid());
    }
    CHECK(raw(SYS_close, sealed) == 0);
    puts("registers");
    return 0;
}
