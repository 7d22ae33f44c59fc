/* long overlay_with_vector_state_saved(long (*function)(void *), void *argument): see trampoline_vector.h.
 * The save area lies on the stack, 64-byte aligned; %rbp marks the frame, %rbx keeps the area. */
    .set    HEADER, 512
    .set    DEFAULT_MXCSR, 0x1f80

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
    movq    %rdi, %rcx
    movq    %rsi, %rdi
    subq    overlay_vector_size(%rip), %rsp
    andq    $-64, %rsp
    movq    %rsp, %rbx

    movl    overlay_vector_mask(%rip), %eax
    xorl    %edx, %edx
    cmpl    $1, overlay_vector_method(%rip)
    jb      .Lfxsave
    /* The save does not write all of the header, and the restore faults on what it does not know. */
    movq    %rdx, HEADER+0(%rbx)
    movq    %rdx, HEADER+8(%rbx)
    movq    %rdx, HEADER+16(%rbx)
    movq    %rdx, HEADER+24(%rbx)
    movq    %rdx, HEADER+32(%rbx)
    movq    %rdx, HEADER+40(%rbx)
    movq    %rdx, HEADER+48(%rbx)
    movq    %rdx, HEADER+56(%rbx)
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
    movl    $DEFAULT_MXCSR, -16(%rbp)
    ldmxcsr -16(%rbp)
    cmpl    $0, overlay_vector_has_avx(%rip)
    je      .Lcall
    vzeroupper
.Lcall:
    call    *%rcx

    movq    %rax, %rcx
    movl    overlay_vector_mask(%rip), %eax
    xorl    %edx, %edx
    cmpl    $0, overlay_vector_method(%rip)
    je      .Lfxrstor
    xrstor64 (%rbx)
    jmp     .Lrestored
.Lfxrstor:
    fxrstor64 (%rbx)
.Lrestored:
    movq    %rcx, %rax
    movq    -8(%rbp), %rbx
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size   overlay_with_vector_state_saved, .-overlay_with_vector_state_saved

    .section .note.GNU-stack, "", @progbits
