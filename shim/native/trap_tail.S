/* What runs between a trapped call and the program: see trap.h, struct trap_frame. */
#include "trampoline_offsets.h"

    .set RESUME, 0              /* from %rsp, when the return to the tail is done */
    .set TO_RED_ZONE, TRAP_FRAME_BYTES - 16 + 128

    .macro restore_arguments
    movq    8(%rsp), %rdi
    movq    16(%rsp), %rsi
    movq    24(%rsp), %rdx
    movq    32(%rsp), %r10
    movq    40(%rsp), %r8
    movq    48(%rsp), %r9
    .endm

    .text
/* %rdi, %rsp: struct trap_call; the other registers are the program's. */
    .globl  overlay_trap_run
    .hidden overlay_trap_run
    .type   overlay_trap_run, @function
    .p2align 4
overlay_trap_run:
    .cfi_startproc
    .cfi_signal_frame
    /* CFA = *(%rsp + TRAP_STACK), return address at %rsp + TRAP_NEXT */
    .cfi_escape 0x0f, 4, 0x77, TRAP_STACK | 0x80, 0x00, 0x06
    .cfi_escape 0x10, 16, 3, 0x77, TRAP_NEXT | 0x80, 0x00
    call    trap_filter
    movq    CALL_ARGS+0(%rsp), %rdi
    movq    CALL_ARGS+8(%rsp), %rsi
    movq    CALL_ARGS+16(%rsp), %rdx
    movq    CALL_ARGS+24(%rsp), %r10
    movq    CALL_ARGS+32(%rsp), %r8
    movq    CALL_ARGS+40(%rsp), %r9
    movq    CALL_NUMBER(%rsp), %rax
    movq    TRAP_GO_ON(%rsp), %rcx
    movq    TRAP_GO_ON_STACK(%rsp), %r11
    leaq    TRAP_FLAGS(%rsp), %rsp
    popfq
    movq    %r11, %rsp
    jmp     *%rcx
    .cfi_endproc
    .size   overlay_trap_run, .-overlay_trap_run

/* After the call: %rax is its result. Flags stay as they are, as after a `syscall`. */
    .globl  overlay_trap_tail
    .hidden overlay_trap_tail
    .type   overlay_trap_tail, @function
    .p2align 4
overlay_trap_tail:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, TO_RED_ZONE + 8
    .cfi_offset %rip, -(TO_RED_ZONE + 8)
    restore_arguments
    ret     $TO_RED_ZONE
    .cfi_endproc
    .size   overlay_trap_tail, .-overlay_trap_tail

/* The same after a clone; in the child on its own stack, where the same lies. */
    .globl  overlay_trap_clone_tail
    .hidden overlay_trap_clone_tail
    .type   overlay_trap_clone_tail, @function
    .p2align 4
overlay_trap_clone_tail:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rsp, TO_RED_ZONE + 8
    .cfi_offset %rip, -(TO_RED_ZONE + 8)
    movq    %rax, %rcx
    jrcxz   .Lchild
.Lgo_on:
    restore_arguments
    ret     $TO_RED_ZONE
.Lchild:
    pushfq
    pushq   %rbp
    movq    %rsp, %rbp
    andq    $-16, %rsp
    call    trap_begin_thread
    movq    %rbp, %rsp
    popq    %rbp
    popfq
    movl    $0, %eax
    jmp     .Lgo_on
    .cfi_endproc
    .size   overlay_trap_clone_tail, .-overlay_trap_clone_tail

/* rt_sigreturn on the frame at %rdi. */
    .globl  overlay_trap_return
    .hidden overlay_trap_return
    .type   overlay_trap_return, @function
    .p2align 4
overlay_trap_return:
    movq    %rdi, %rsp
    movl    $15, %eax
    jmp     *overlay_raw_entry(%rip)
    .size   overlay_trap_return, .-overlay_trap_return

    .section .note.GNU-stack, "", @progbits
