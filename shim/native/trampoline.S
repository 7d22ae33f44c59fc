/* From a slot (patch_slot.c) to overlay_filter and back.
 *
 * A `syscall` instruction changes %rax, %rcx and %r11 and nothing else, not even the flags or the bytes below %rsp, and
 * libc's code is compiled knowing it. So every other register and the flags are kept here; the slot has stepped over
 * the red zone; vector registers are not touched (the filter is compiled -mgeneral-regs-only).
 */
#include "trampoline_offsets.h"

/* Flags without pushf and popf, which cost ten times as much: lahf and sahf carry all but OF, which goes through %al. */
.macro save_flags            /* to %ax */
    lahf
    seto    %al
.endm
.macro restore_flags         /* from %ax */
    addb    $0x7f, %al
    sahf
.endm

    .text

/* In: %rax = number, the other registers as at the `syscall`; 0(%rsp) = the slot, the program's %rsp is 136 above.
 * Out: %rcx = 0: pass (%rax = number), else handled (%rax = result). Changes %r11. */
    .globl  overlay_trampoline_enter
    .hidden overlay_trampoline_enter
    .type   overlay_trampoline_enter, @function
    .p2align 6
overlay_trampoline_enter:
    .cfi_startproc
    .cfi_signal_frame
    movq    %rax, %rcx
    save_flags
    /* Only `syscall()` and its like get here with a number that is outside the table or not asked for. */
    cmpq    $NUMBER_LIMIT, %rcx
    jae     .Lnot_asked
    movq    overlay_interest(%rip), %r11
    cmpb    $0, (%r11,%rcx)
    je      .Lnot_asked

    movq    %rsp, %r11
    .cfi_remember_state
    .cfi_def_cfa_register %r11
    leaq    -FRAME_SIZE(%rsp), %rsp
    andq    $-16, %rsp
    movq    %rcx, CALL_NUMBER(%rsp)
    movq    %rdi, CALL_ARGS+0(%rsp)
    movq    %rsi, CALL_ARGS+8(%rsp)
    movq    %rdx, CALL_ARGS+16(%rsp)
    movq    %r10, CALL_ARGS+24(%rsp)
    movq    %r8, CALL_ARGS+32(%rsp)
    movq    %r9, CALL_ARGS+40(%rsp)
    movq    %rax, FRAME_FLAGS(%rsp)
    movq    %r11, FRAME_STACK(%rsp)
    /* The slot ends with `jmp syscall`, 15 bytes after the call that led here. */
    movq    (%r11), %rcx
    movslq  16(%rcx), %rdx
    leaq    20(%rcx,%rdx), %rdx
    movq    %rdx, CALL_SITE(%rsp)
    /* For unwinders (a thread cancelled in the filter, a debugger) the caller is libc at its `syscall`:
     * CFA = *(%rsp + FRAME_STACK) + 136, return address at %rsp + CALL_SITE. */
    .cfi_escape 0x0f, 7, 0x77, FRAME_STACK | 0x80, 0x00, 0x06, 0x23, 0x88, 0x01
    .cfi_escape 0x10, 16, 2, 0x77, CALL_SITE
    movq    %rsp, %rdi
    call    overlay_filter

    movq    %rax, %rcx
    cmpl    $2, %eax
    je      .Ltrap
    movq    FRAME_FLAGS(%rsp), %rax
    restore_flags
    movq    CALL_ARGS+0(%rsp), %rdi
    movq    CALL_ARGS+8(%rsp), %rsi
    movq    CALL_ARGS+16(%rsp), %rdx
    movq    CALL_ARGS+24(%rsp), %r10
    movq    CALL_ARGS+32(%rsp), %r8
    movq    CALL_ARGS+40(%rsp), %r9
    jrcxz   .Lpass
    movq    CALL_RESULT(%rsp), %rax
    movq    FRAME_STACK(%rsp), %rsp
    ret
.Lpass:
    movq    CALL_NUMBER(%rsp), %rax
    movq    FRAME_STACK(%rsp), %rsp
    ret
    /* TRAP (trap.h): made here, where the kernel traps it; the handler goes on from the slot's frame, with all registers. */
.Ltrap:
    movq    FRAME_FLAGS(%rsp), %rax
    restore_flags
    movq    CALL_ARGS+0(%rsp), %rdi
    movq    CALL_ARGS+8(%rsp), %rsi
    movq    CALL_ARGS+16(%rsp), %rdx
    movq    CALL_ARGS+24(%rsp), %r10
    movq    CALL_ARGS+32(%rsp), %r8
    movq    CALL_ARGS+40(%rsp), %r9
    movq    CALL_NUMBER(%rsp), %rax
    movq    FRAME_STACK(%rsp), %rsp
    syscall
    .globl  overlay_trampoline_trapped
    .hidden overlay_trampoline_trapped
overlay_trampoline_trapped:
    ud2
.Lnot_asked:
    .cfi_restore_state
    restore_flags
    movq    %rcx, %rax
    movl    $0, %ecx
    ret
    .cfi_endproc
    .size   overlay_trampoline_enter, .-overlay_trampoline_enter

/* In place of __syscall_cancel_arch(word, number, a1 ... a6), which is glibc 2.41's: %rdi, %rsi = number, %rdx, %rcx,
 * %r8, %r9, then on the stack above the slot's and the caller's return addresses. %r11 = the `syscall` in that function.
 * Out: %r11 = 0: pass, arguments as they were; else handled (%rax = result). */
    .globl  overlay_trampoline_enter_cancellable
    .hidden overlay_trampoline_enter_cancellable
    .type   overlay_trampoline_enter_cancellable, @function
    .p2align 6
overlay_trampoline_enter_cancellable:
    .cfi_startproc
    .cfi_def_cfa_offset 16
    /* Cancelled already: the function sees the same, and does not come to its system call (CANCELED_BITMASK of libc's
     * nptl/descr.h). After a call that is handled nobody would look. */
    testb   $8, (%rdi)
    jnz     .Lcancellable_not_asked
    cmpq    $NUMBER_LIMIT, %rsi
    jae     .Lcancellable_not_asked
    movq    overlay_interest(%rip), %rax
    cmpb    $0, (%rax,%rsi)
    je      .Lcancellable_not_asked

    movq    %rsp, %rax
    .cfi_remember_state
    .cfi_def_cfa_register %rax
    leaq    -FRAME_SIZE(%rsp), %rsp
    andq    $-16, %rsp
    movq    %rax, FRAME_STACK(%rsp)
    .cfi_escape 0x0f, 6, 0x77, FRAME_STACK | 0x80, 0x00, 0x06, 0x23, 16
    movq    %rdi, FRAME_CANCEL(%rsp)
    movq    %rsi, CALL_NUMBER(%rsp)
    movq    %rdx, CALL_ARGS+0(%rsp)
    movq    %rcx, CALL_ARGS+8(%rsp)
    movq    %r8, CALL_ARGS+16(%rsp)
    movq    %r9, CALL_ARGS+24(%rsp)
    movq    16(%rax), %rcx
    movq    %rcx, CALL_ARGS+32(%rsp)
    movq    24(%rax), %rcx
    movq    %rcx, CALL_ARGS+40(%rsp)
    movq    %r11, CALL_SITE(%rsp)
    movq    %rsp, %rdi
    call    overlay_filter

    movq    %rax, %r11
    movq    CALL_RESULT(%rsp), %rax
    movq    FRAME_CANCEL(%rsp), %rdi
    movq    CALL_NUMBER(%rsp), %rsi
    movq    CALL_ARGS+0(%rsp), %rdx
    movq    CALL_ARGS+8(%rsp), %rcx
    movq    CALL_ARGS+16(%rsp), %r8
    movq    CALL_ARGS+24(%rsp), %r9
    movq    FRAME_STACK(%rsp), %rsp
    .cfi_def_cfa %rsp, 16
    ret
.Lcancellable_not_asked:
    .cfi_restore_state
    xorl    %r11d, %r11d
    ret
    .cfi_endproc
    .size   overlay_trampoline_enter_cancellable, .-overlay_trampoline_enter_cancellable

    .section .note.GNU-stack, "", @progbits
