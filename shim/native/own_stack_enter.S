/* long overlay_call_on_stack(uintptr_t top, own_stack_function function, const long *arguments): see own_stack.c.
 * %rbp leads unwinders and debuggers back to the caller's stack. */
    .text
    .globl  overlay_call_on_stack
    .hidden overlay_call_on_stack
    .type   overlay_call_on_stack, @function
    .p2align 4
overlay_call_on_stack:
    .cfi_startproc
    pushq   %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq    %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq    %rdi, %rsp
    andq    $-16, %rsp
    movq    %rdx, %rdi
    call    *%rsi
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size   overlay_call_on_stack, .-overlay_call_on_stack

    .section .note.GNU-stack, "", @progbits
