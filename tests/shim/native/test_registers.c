/* A patched call must change nothing that a `syscall` instruction does not change. umask() is libc's shortest call:
 * mov $95,%eax; syscall; ret. So what is in the registers around a call of umask() is what is in them around the site. */
#define _GNU_SOURCE
#include "test_filter.h"

#include <cpuid.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../../../shim/native/trampoline_offsets.h"

static const unsigned char unused_state[576] __attribute__((aligned(64), used));

struct state {
    unsigned long general[15];      /* rax rbx rcx rdx rsi rdi rbp r8 ... r15 */
    unsigned long flags;
    unsigned char vector[16][32];   /* ymm, or xmm in the first half */
    unsigned char opmask[8][8], high_vector[16][64];
    unsigned char x87[16];
    unsigned int mxcsr;
    unsigned char red_zone[128];
    int x87_used;
    unsigned char upper[16][32];    /* of zmm0 to zmm15 */
};
_Static_assert(offsetof(struct state, upper) == 1880, "as the code says");

/* Loads `in`, calls `function`, stores `out`. 0: SSE, 1: AVX, 2: AVX-512. */
void call_with_state(void *function, const struct state *in, struct state *out, long level);
__asm__(
    ".text\n"
    ".type call_with_state, @function\n"
    "call_with_state:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  sub $0x1000, %rsp\n"
    "  mov %rdi, 0xf00(%rsp); mov %rdx, 0xf08(%rsp); mov %rcx, 0xf10(%rsp)\n"
    "  mov %rsi, %rax\n"
    /* vectors */
    "  cmp $0, %rcx; jne 1f\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  movdqu 128+32*\\n(%rax), %xmm\\n\n"
    "  .endr\n"
    "  jmp 2f\n"
    "1:\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vmovdqu 128+32*\\n(%rax), %ymm\\n\n"
    "  .endr\n"
    "  cmp $2, %rcx; jne 2f\n"
    "  .irp n,0,1,2,3,4,5,6,7\n"
    "  kmovq 640+8*\\n(%rax), %k\\n\n"
    "  .endr\n"
    "  .irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  vmovdqu64 704+64*(\\n-16)(%rax), %zmm\\n\n"
    "  .endr\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vinserti64x4 $1, 1880+32*\\n(%rax), %zmm\\n, %zmm\\n\n"
    "  .endr\n"
    "2:\n"
    "  ldmxcsr 1744(%rax)\n"
    "  cmpl $0, 1876(%rax); je 3f\n"
    "  fninit; fldt 1728(%rax); jmp 4f\n"
    /* as if x87 had never been used, which fninit does not achieve */
    "3: cmp $0, %rcx; je 4f\n"
    "  mov %rax, %rbx; mov $1, %eax; xor %edx, %edx; xrstor64 unused_state(%rip); mov %rbx, %rax\n"
    "4:\n"
    /* what will be the red zone of the called function: below its return address at -8(%rsp) */
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  mov 1748+8*\\n(%rax), %rbx; mov %rbx, -136+8*\\n(%rsp)\n"
    "  .endr\n"
    "  pushq 120(%rax)\n"
    "  popfq\n"
    "  mov 8(%rax),%rbx; mov 16(%rax),%rcx; mov 24(%rax),%rdx; mov 32(%rax),%rsi; mov 40(%rax),%rdi\n"
    "  mov 48(%rax),%rbp; mov 56(%rax),%r8; mov 64(%rax),%r9; mov 72(%rax),%r10; mov 80(%rax),%r11\n"
    "  mov 88(%rax),%r12; mov 96(%rax),%r13; mov 104(%rax),%r14; mov 112(%rax),%r15; mov 0(%rax),%rax\n"
    "  call *0xf00(%rsp)\n"
    "  mov %rax, 0xf18(%rsp)\n"
    "  mov 0xf08(%rsp), %rax\n"
    "  mov %rbx,8(%rax); mov %rcx,16(%rax); mov %rdx,24(%rax); mov %rsi,32(%rax); mov %rdi,40(%rax)\n"
    "  mov %rbp,48(%rax); mov %r8,56(%rax); mov %r9,64(%rax); mov %r10,72(%rax); mov %r11,80(%rax)\n"
    "  mov %r12,88(%rax); mov %r13,96(%rax); mov %r14,104(%rax); mov %r15,112(%rax)\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  mov -136+8*\\n(%rsp), %rbx; mov %rbx, 1748+8*\\n(%rax)\n"
    "  .endr\n"
    "  pushfq; popq 120(%rax)\n"
    "  mov 0xf18(%rsp), %rbx; mov %rbx, 0(%rax)\n"
    "  mov 0xf10(%rsp), %rcx\n"
    "  cmp $0, %rcx; jne 1f\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  movdqu %xmm\\n, 128+32*\\n(%rax)\n"
    "  .endr\n"
    "  jmp 2f\n"
    "1:\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vmovdqu %ymm\\n, 128+32*\\n(%rax)\n"
    "  .endr\n"
    "  cmp $2, %rcx; jne 2f\n"
    "  .irp n,0,1,2,3,4,5,6,7\n"
    "  kmovq %k\\n, 640+8*\\n(%rax)\n"
    "  .endr\n"
    "  .irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  vmovdqu64 %zmm\\n, 704+64*(\\n-16)(%rax)\n"
    "  .endr\n"
    "  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vextracti64x4 $1, %zmm\\n, 1880+32*\\n(%rax)\n"
    "  .endr\n"
    "2:\n"
    "  fstpt 1728(%rax); movl $0, 1876(%rax); fnstsw 1876(%rax); stmxcsr 1744(%rax); fninit; movl $0x1f80, 0xf20(%rsp); ldmxcsr 0xf20(%rsp)\n"
    "  cmp $0, %rcx; je 3f; vzeroupper\n"
    "3:\n"
    "  add $0x1000, %rsp\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

enum { PASS, HANDLE, HANDLE_WITH_VECTORS } s_mode;
static unsigned long s_seen, s_spoilt;
static struct overlay_call s_call;

/* What the engine might do to vector state. */
static void spoil_512_bits(void)
{
    __asm__ volatile("vpternlogd $255,%%zmm2,%%zmm2,%%zmm2; vpternlogd $255,%%zmm16,%%zmm16,%%zmm16; vpternlogd $255,%%zmm31,%%zmm31,%%zmm31;"
                     "kxnorq %%k0,%%k0,%%k0; kxnorq %%k3,%%k3,%%k3; kxnorq %%k7,%%k7,%%k7" ::: "memory", "xmm2");
}

static long s_level;

static void spoil(void *argument)
{
    double *numbers = argument;
    volatile long double tenth = 0.1L;
    for (int i = 0; i < 64; i++)
        numbers[i] = numbers[i] / 3 + (double)tenth;
    __asm__ volatile("pcmpeqd %%xmm0,%%xmm0; movaps %%xmm0,%%xmm7; movaps %%xmm0,%%xmm15; movl $0x7f80,-4(%%rsp);"
                     "ldmxcsr -4(%%rsp); fldpi; fldpi; fldpi" ::: "memory", "xmm0", "xmm7", "xmm15");
    if (s_level == 2)
        spoil_512_bits();
    s_spoilt++;
}

GENERAL_REGISTERS long overlay_filter(struct overlay_call *call)
{
    static double numbers[64];
    if (call->number != SYS_umask)
        return PASS_ON;
    s_seen++;
    s_call = *call;
    /* What a C function may do to registers. */
    __asm__ volatile("mov $-1,%%edi; mov %%edi,%%esi; mov %%edi,%%edx; mov %%edi,%%ecx; mov %%edi,%%r8d; mov %%edi,%%r9d;"
                     "mov %%edi,%%r10d; mov %%edi,%%r11d; test %%edi,%%edi"
                     ::: "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "cc");
    if (s_mode == PASS)
        return PASS_ON;
    call->result = s_mode == HANDLE ? 0123 : 42;
    if (s_mode == HANDLE_WITH_VECTORS)
        overlay_with_vector_state_saved(spoil, numbers);
    return HANDLED;
}

static long vector_level(void)
{
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (!(c & bit_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    unsigned enabled = a;
    if ((enabled & 6) != 6)
        return 0;
    __cpuid_count(7, 0, a, b, c, d);
    return (enabled & 0xe6) == 0xe6 && (b & bit_AVX512F) && (b & bit_AVX512BW) ? 2 : 1;
}

static void fill(struct state *state, unsigned seed)
{
    unsigned char *bytes = (unsigned char *)state;
    long double value = 3.25L * seed;
    srand(seed);
    for (size_t i = 0; i < sizeof *state; i++)
        bytes[i] = (unsigned char)rand();
    state->x87_used = seed % 5 == 0;
    state->mxcsr = seed & 1 ? 0x1f80 : seed & 2 ? 0x1fa5 : 0x7fa0;    /* sticky exception flags, another rounding */
    state->flags = 0x202 | (seed * 0x9e3779b1u >> 7 & 0x8d5);    /* any of CF PF AF ZF SF OF */
    memcpy(state->x87, &value, sizeof value < 16 ? sizeof value : 16);
}

static void compare(const struct state *in, const struct state *out, long level)
{
    static const int kept[] = { 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14 };    /* all but rax, rcx, r11 */
    for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++)
        CHECK(in->general[kept[i]] == out->general[kept[i]]);
    CHECK(((in->flags ^ out->flags) & 0x8d5) == 0);
    for (int i = 0; i < 16; i++)
        CHECK(memcmp(in->vector[i], out->vector[i], level ? 32 : 16) == 0);
    CHECK(level < 2 || memcmp(in->opmask, out->opmask, sizeof in->opmask) == 0);
    CHECK(level < 2 || memcmp(in->high_vector, out->high_vector, sizeof in->high_vector) == 0);
    CHECK(level < 2 || memcmp(in->upper, out->upper, sizeof in->upper) == 0);
    if (in->x87_used)
        CHECK(memcmp(in->x87, out->x87, 10) == 0);
    else
        CHECK(out->x87_used & 0x40);    /* what fstpt reports of an empty x87: stack fault */
    CHECK(in->mxcsr == out->mxcsr);
    CHECK(memcmp(in->red_zone, out->red_zone, sizeof in->red_zone) == 0);
}

extern uint32_t overlay_vector_method;
extern uint64_t overlay_vector_size;

static void try_everything(long level)
{
    s_level = level;
    struct state in, out;

    for (unsigned seed = 1; seed < 3000; seed++) {
        fill(&in, seed);
        s_mode = seed % 3;
        in.general[5] = 022;    /* rdi: the new mask */
        s_seen = s_spoilt = 0;
        call_with_state(umask, &in, &out, level);
        CHECK(s_seen == 1);
        CHECK(s_call.number == SYS_umask && s_call.args[0] == 022 && s_call.args[1] == (long)in.general[4]);
        CHECK(s_call.args[2] == (long)in.general[3] && s_call.args[3] == (long)in.general[9]);
        CHECK(s_call.args[4] == (long)in.general[7] && s_call.args[5] == (long)in.general[8]);
        CHECK(memcmp((void *)s_call.site, "\x0f\x05", 2) == 0);
        CHECK(out.general[0] == (s_mode == PASS ? 022 : s_mode == HANDLE ? 0123 : 42));
        CHECK(s_spoilt == (s_mode == HANDLE_WITH_VECTORS));
        compare(&in, &out, level);
        overlay_interest[SYS_umask] = 0;    /* and the short way past the filter */
        call_with_state(umask, &in, &out, level);
        overlay_interest[SYS_umask] = 1;
        CHECK(s_seen == 1);
        compare(&in, &out, level);
    }
}

int main(void)
{
    long level = vector_level();

    install(SYS_umask);
    /* With the best way of saving that this CPU has, which the first call finds out, then with those of older ones. */
    CHECK(overlay_vector_method == VECTOR_NOT_ASKED);
    try_everything(level);
    if (overlay_vector_method == VECTOR_ZMM) {
        overlay_vector_method = VECTOR_XSAVEC;
        try_everything(level);
        overlay_vector_method = VECTOR_YMM;
        try_everything(1);
    } else if (overlay_vector_method == VECTOR_YMM) {
        overlay_vector_method = VECTOR_XSAVEC;
        try_everything(level);
        overlay_vector_method = VECTOR_XSAVE;    /* without AVX-512 its layout is the same */
        try_everything(level);
    }
    overlay_vector_method = VECTOR_FXSAVE;
    try_everything(0);
    /* The area is as large as the CPU says that it should be. */
    if (level > 0) {
        unsigned a, b, c, d;
        __cpuid_count(0xd, 0, a, b, c, d);
        CHECK(overlay_vector_size <= b && overlay_vector_size >= (level == 2 ? 2432 : 832));
    }
    printf("registers kept, vector level %ld\n", level);
    return 0;
}
