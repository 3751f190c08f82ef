/*
 * Entry in EL1, an identity map with normal memory (without one, unaligned and
 * exclusive accesses fault), vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define MAIR 0xff00             /* 0: device; 1: normal, write-back */
#define TCR 0x100803519         /* 39 bits, 4 KiB, write-back, TTBR0 only */
#define BLOCK 0x401             /* accessed, a block of 1 GiB */
#define NORMAL 0x304            /* attribute 1, inner shareable */

    .section .text.start
    .globl _start
_start:
    adrp x0, metal_stack_end
    add x0, x0, :lo12:metal_stack_end
    mov sp, x0
    mov x0, #(3 << 20)          /* FP and vectors on */
    msr cpacr_el1, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0

    adrp x0, metal_bss
    add x0, x0, :lo12:metal_bss
    adrp x1, metal_bss_end
    add x1, x1, :lo12:metal_bss_end
1:  str xzr, [x0], #8
    cmp x0, x1
    b.lo 1b

    adrp x0, page_table
    mov x1, #BLOCK              /* 0 to 1 GiB: devices */
    str x1, [x0]
    ldr x1, =(0x40000000 + BLOCK + NORMAL)
    str x1, [x0, #8]
    msr ttbr0_el1, x0
    ldr x0, =MAIR
    msr mair_el1, x0
    ldr x0, =TCR
    msr tcr_el1, x0
    isb
    tlbi vmalle1
    dsb sy
    mrs x0, sctlr_el1
    ldr x1, =0x1005             /* MMU, caches */
    orr x0, x0, x1
    msr sctlr_el1, x0
    isb
    bl metal_main
1:  wfi
    b 1b

    .macro entry kind
    .balign 128
    sub sp, sp, #176
    stp x0, x1, [sp]
    mov x0, #\kind
    b trap
    .endm

    .balign 2048
vectors:
    .rept 4
    entry 2
    .endr
    entry 0                     /* synchronous, from this level */
    entry 1                     /* interrupt */
    .rept 10
    entry 2
    .endr

trap:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x29, [sp, #144]
    str x30, [sp, #160]
    mrs x1, esr_el1
    mrs x2, far_el1
    mrs x3, elr_el1
    bl machine_on_trap
    msr elr_el1, x0
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x29, [sp, #144]
    ldr x30, [sp, #160]
    ldp x0, x1, [sp]
    add sp, sp, #176
    eret

    .bss
    .balign 4096
page_table:
    .skip 4096
