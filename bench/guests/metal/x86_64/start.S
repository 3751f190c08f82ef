/*
 * Entry by PVH in 32-bit mode, from there to 64 bits with the first GiB mapped;
 * entries of exceptions and interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
    .section .note.metal, "a", @note
    .balign 4
    .long 4, 8, 18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad _start

    .section .text.start
    .code32
    .globl _start
_start:
    cld
    movl $metal_bss, %edi
    movl $metal_bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb

    movl $(pdpt + 3), pml4
    movl $(directory + 3), pdpt
    movl $directory, %edi
    movl $0x83, %eax            /* 2 MiB, writable */
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    cmpl $(directory + 4096), %edi
    jne 1b

    movl $pml4, %eax
    movl %eax, %cr3
    movl $0x620, %eax           /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx      /* EFER */
    rdmsr
    orl $0x100, %eax            /* LME */
    wrmsr
    movl $0x80010033, %eax      /* PG, WP, NE, ET, MP, PE; no EM */
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movq $metal_stack_end, %rsp
    call metal_main
1:  hlt
    jmp 1b

    /* Vector, whether the CPU pushes an error code. */
    .macro entry vector, has_error
    .balign 16
    .if !\has_error
    pushq $0
    .endif
    pushq $\vector
    jmp trap
    .endm

    .balign 16
    .globl machine_entries
machine_entries:
    .set n, 0
    .rept 48
    .if n == 8 || (n >= 10 && n <= 14) || n == 17
    entry n, 1
    .else
    entry n, 0
    .endif
    .set n, n + 1
    .endr

trap:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    movq 72(%rsp), %rdi         /* vector */
    movq 80(%rsp), %rsi         /* error code */
    movq 88(%rsp), %rdx         /* rip */
    cld
    call machine_on_trap
    movq %rax, 88(%rsp)
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq

    .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* code, 64 bits */
    .quad 0x00cf93000000ffff    /* data */
gdt_pointer:
    .word . - gdt - 1
    .long gdt

    .bss
    .balign 4096
pml4:
    .skip 4096
pdpt:
    .skip 4096
directory:
    .skip 4096
