/*
 * overlay_entry: reached by a jump from a stub, in the place of a `syscall` instruction. As there, rcx and r11 are free;
 * everything else but rax, including the flags and the 128 bytes below rsp (the red zone), must come back as it was.
 */
        .text
        .globl  overlay_entry
        .hidden overlay_entry
        .type   overlay_entry, @function
overlay_entry:
        lea     -128(%rsp), %rsp
        push    %rcx
        push    %rbp
        mov     %rsp, %rbp
        lea     -80(%rsp), %rsp
        mov     %rax, %r11
        lahf
        seto    %al
        mov     %rax, -8(%rbp)          /* flags: behind the call structure */
        and     $-16, %rsp              /* at most 8 bytes: the structure stays clear of -8(%rbp) */
        mov     %r11, 0(%rsp)
        mov     %rdi, 8(%rsp)
        mov     %rsi, 16(%rsp)
        mov     %rdx, 24(%rsp)
        mov     %r10, 32(%rsp)
        mov     %r8, 40(%rsp)
        mov     %r9, 48(%rsp)
        mov     %rsp, %rdi
        call    overlay_filter
        mov     8(%rsp), %rdi
        mov     16(%rsp), %rsi
        mov     24(%rsp), %rdx
        mov     32(%rsp), %r10
        mov     40(%rsp), %r8
        mov     48(%rsp), %r9
        test    %eax, %eax
        jnz     1f
        /* Pass: the same number and registers, and on to the `syscall` itself. */
        mov     0(%rsp), %r11
        mov     -8(%rbp), %rax
        add     $0x7f, %al
        sahf
        mov     %r11, %rax
        mov     %rbp, %rsp
        pop     %rbp
        pop     %rcx
        lea     128(%rsp), %rsp
        lea     -2(%rcx), %rcx
        jmp     *%rcx
1:      /* Handled: past the `syscall`, with the answer. */
        mov     56(%rsp), %r11
        mov     -8(%rbp), %rax
        add     $0x7f, %al
        sahf
        mov     %r11, %rax
        mov     %rbp, %rsp
        pop     %rbp
        pop     %rcx
        lea     128(%rsp), %rsp
        jmp     *%rcx
        .size   overlay_entry, . - overlay_entry

        .globl  overlay_with_vector_state_saved
        .hidden overlay_with_vector_state_saved
        .type   overlay_with_vector_state_saved, @function
overlay_with_vector_state_saved:
        push    %rbp
        mov     %rsp, %rbp
        push    %rbx
        push    %r12
        mov     %rdi, %rcx
        mov     %rsi, %rbx
        sub     overlay_xsave_size(%rip), %rsp
        and     $-64, %rsp
        cmpb    $0, overlay_has_xsavec(%rip)
        je      2f
        xor     %eax, %eax              /* the header behind the legacy area: xrstor wants its reserved bytes zero */
        mov     %rax, 512(%rsp)
        mov     %rax, 520(%rsp)
        mov     %rax, 528(%rsp)
        mov     %rax, 536(%rsp)
        mov     %rax, 544(%rsp)
        mov     %rax, 552(%rsp)
        mov     %rax, 560(%rsp)
        mov     %rax, 568(%rsp)
        mov     $0xe7, %eax             /* x87, SSE, AVX, opmask, both ZMM halves */
        xor     %edx, %edx
        xsavec  (%rsp)
        mov     %rbx, %rdi
        mov     %rsp, %r12
        call    *%rcx
        mov     %r12, %rsp
        mov     $0xe7, %eax
        xor     %edx, %edx
        xrstor  (%rsp)
        jmp     3f
2:      fxsave  (%rsp)
        mov     %rbx, %rdi
        mov     %rsp, %r12
        call    *%rcx
        mov     %r12, %rsp
        fxrstor (%rsp)
3:      lea     -16(%rbp), %rsp
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .size   overlay_with_vector_state_saved, . - overlay_with_vector_state_saved

        .section .note.GNU-stack, "", @progbits
