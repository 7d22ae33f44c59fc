/* Where the shim's own system calls are made: raw_syscall.h. */

    .text
    .globl  overlay_raw_here
    .hidden overlay_raw_here
    .type   overlay_raw_here, @function
    .p2align 4
overlay_raw_here:
    .cfi_startproc
    syscall
    ret
    .cfi_endproc
    .size   overlay_raw_here, .-overlay_raw_here

/* SIGSYS's handlers return through this. In the bytes by which unwinders know a signal's frame; without unwind tables, which they would
 * believe first. */
    .globl  overlay_raw_restorer
    .hidden overlay_raw_restorer
    .type   overlay_raw_restorer, @function
overlay_raw_restorer:
    movq    $15, %rax
    syscall
    int3                        /* what the kernel looks at is the address behind the call */
    .size   overlay_raw_restorer, .-overlay_raw_restorer
    .globl  overlay_raw_end
    .hidden overlay_raw_end
overlay_raw_end:

    .data
    .globl  overlay_raw_entry
    .hidden overlay_raw_entry
    .type   overlay_raw_entry, @object
    .p2align 3
overlay_raw_entry:
    .quad   overlay_raw_here
    .size   overlay_raw_entry, 8

    .section .note.GNU-stack, "", @progbits
