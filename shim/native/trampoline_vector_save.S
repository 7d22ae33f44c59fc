/* void overlay_with_vector_state_saved(void (*function)(void *), void *argument): see trampoline.h.
 * %rbp marks the frame, %rbx the save area below it, aligned to 64 bytes.
 *
 * Saving with xsave and xrstor takes 210 ns; moving the sixteen %ymm registers by hand takes 7, AVX-512's thirty-two %zmm
 * and eight masks some 25. Where those are all there is (no APX) and the program has not used x87, which xgetbv tells, the
 * latter is enough. */
#include "trampoline_offsets.h"

    .set    HEADER, 512
    .set    MASKS, 2048              /* behind thirty-two registers; xsavec takes more */
    .set    DEFAULT_MXCSR, 0x1f80
    .set    MXCSR_FLAGS, 0x3f
    .set    X87_IN_USE, 1
    .set    LOCAL_MXCSR, -16         /* from %rbp */
    .set    LOCAL_SCRATCH, -12
    .set    LOCAL_ARGUMENT, -24

    .text
    .globl  overlay_with_vector_state_saved
    .hidden overlay_with_vector_state_saved
    .type   overlay_with_vector_state_saved, @function
    .p2align 4
overlay_with_vector_state_saved:
    .cfi_startproc
    pushq   %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq    %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq   %rbx
    .cfi_offset %rbx, -24
    subq    $24, %rsp
    movq    %rdi, %r8
    movq    %rsi, %rdi
    cmpl    $VECTOR_NOT_ASKED, overlay_vector_method(%rip)
    je      .Lask
.Lasked:
    subq    overlay_vector_size(%rip), %rsp
    andq    $-64, %rsp
    movq    %rsp, %rbx

    cmpl    $VECTOR_YMM, overlay_vector_method(%rip)
    jb      .Lextended
    movl    $1, %ecx
    xgetbv
    testb   $X87_IN_USE, %al
    jnz     .Lextended

    /* Loading it takes 17 ns, and nearly always it is as it should be, but for exceptions that were. */
    stmxcsr LOCAL_MXCSR(%rbp)
    movl    LOCAL_MXCSR(%rbp), %eax
    andl    $~MXCSR_FLAGS, %eax
    cmpl    $DEFAULT_MXCSR, %eax
    je      .Ldefault
    movl    $DEFAULT_MXCSR, LOCAL_SCRATCH(%rbp)
    ldmxcsr LOCAL_SCRATCH(%rbp)
.Ldefault:
    cmpl    $VECTOR_ZMM, overlay_vector_method(%rip)
    je      .Lzmm
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vmovdqa %ymm\n, 32*\n(%rbx)
    .endr
    vzeroupper
    call    *%r8
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vmovdqa 32*\n(%rbx), %ymm\n
    .endr
    jmp     .Lmoved
.Lzmm:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqa64 %zmm\n, 64*\n(%rbx)
    .endr
    .irp n, 0,1,2,3,4,5,6,7
    kmovq   %k\n, MASKS+8*\n(%rbx)
    .endr
    vzeroupper
    call    *%r8
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqa64 64*\n(%rbx), %zmm\n
    .endr
    .irp n, 0,1,2,3,4,5,6,7
    kmovq   MASKS+8*\n(%rbx), %k\n
    .endr
.Lmoved:
    stmxcsr LOCAL_SCRATCH(%rbp)
    movl    LOCAL_SCRATCH(%rbp), %eax
    cmpl    LOCAL_MXCSR(%rbp), %eax
    je      .Lsame
    ldmxcsr LOCAL_MXCSR(%rbp)
.Lsame:
    movl    $1, %ecx
    xgetbv
    testb   $X87_IN_USE, %al
    jz      .Ldone
    /* The function used it: back to the initial state. After a mere fninit the CPU would go on saying "in use". */
    movl    $X87_IN_USE, %eax
    xorl    %edx, %edx
    xrstor64 initial_state(%rip)
    jmp     .Ldone

.Lextended:
    movl    overlay_vector_mask(%rip), %eax
    xorl    %edx, %edx
    cmpl    $VECTOR_XSAVE, overlay_vector_method(%rip)
    jb      .Lfxsave
    /* The save does not write all of the header, and the restore faults on what it does not know. */
    .irp n, 0,8,16,24,32,40,48,56
    movq    %rdx, HEADER+\n(%rbx)
    .endr
    je      .Lxsave
    xsavec64 (%rbx)
    jmp     .Lsaved
.Lxsave:
    xsave64 (%rbx)
    jmp     .Lsaved
.Lfxsave:
    fxsave64 (%rbx)
.Lsaved:
    fninit
    movl    $DEFAULT_MXCSR, LOCAL_SCRATCH(%rbp)
    ldmxcsr LOCAL_SCRATCH(%rbp)
    cmpl    $0, overlay_vector_has_avx(%rip)
    je      .Lcall
    vzeroupper
.Lcall:
    call    *%r8
    movl    overlay_vector_mask(%rip), %eax
    xorl    %edx, %edx
    cmpl    $VECTOR_FXSAVE, overlay_vector_method(%rip)
    je      .Lfxrstor
    xrstor64 (%rbx)
    jmp     .Ldone
.Lfxrstor:
    fxrstor64 (%rbx)
.Ldone:
    movq    -8(%rbp), %rbx
    leave
    .cfi_remember_state
    .cfi_def_cfa %rsp, 8
    ret

.Lask:
    .cfi_restore_state
    movq    %rdi, LOCAL_ARGUMENT(%rbp)
    movq    %r8, %rbx
    call    overlay_vector_state_ask
    movq    LOCAL_ARGUMENT(%rbp), %rdi
    movq    %rbx, %r8
    jmp     .Lasked
    .cfi_endproc
    .size   overlay_with_vector_state_saved, .-overlay_with_vector_state_saved

    .section .rodata
    .p2align 6
initial_state:
    .zero   576

    .section .note.GNU-stack, "", @progbits
