/*
 * Entry and traps, in M mode without firmware, or in S mode under OpenSBI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "mode.h"

    .section .text.start
    .globl _start
_start:
#ifndef METAL_S_MODE
    csrr t0, mhartid
    bnez t0, sleep
#endif
    la sp, metal_stack_end
    /* FP and vectors on. */
    li t0, 0x6600
    csrs CSR(status), t0
    la t0, trap
    csrw CSR(tvec), t0
    la t0, metal_bss
    la t1, metal_bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  call metal_main
sleep:
    wfi
    j sleep

#define SAVED(X) \
    X(ra, 0) X(t0, 8) X(t1, 16) X(t2, 24) X(a0, 32) X(a1, 40) X(a2, 48) \
    X(a3, 56) X(a4, 64) X(a5, 72) X(a6, 80) X(a7, 88) X(t3, 96) X(t4, 104) \
    X(t5, 112) X(t6, 120)
#define SAVE(reg, at) sd reg, at(sp);
#define LOAD(reg, at) ld reg, at(sp);

    .balign 4
trap:
    addi sp, sp, -128
    SAVED(SAVE)
    csrr a0, CSR(cause)
    csrr a1, CSR(tval)
    csrr a2, CSR(epc)
    call machine_on_trap
    csrw CSR(epc), a0
    SAVED(LOAD)
    addi sp, sp, 128
    TRAP_RETURN
