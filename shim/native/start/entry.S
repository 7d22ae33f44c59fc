/* Entered by the kernel with its stack; leaves to the loader with that stack as it was. */
    .text
    .globl  _start
    .type   _start, @function
_start:
    .cfi_startproc
    .cfi_undefined rip
    xorl    %ebp, %ebp
    movq    %rsp, %rbx
    movq    %rsp, %rdi
    andq    $-16, %rsp
    call    start_main
    movq    %rbx, %rsp
    xorl    %edx, %edx
    jmp     *%rax
    .cfi_endproc
    .size   _start, .-_start

    .section .note.GNU-stack, "", @progbits
