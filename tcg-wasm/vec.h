/*
 * Vector operations in tier 0: plain loops over elements.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_VEC_H
#define TW_VEC_H

#include "bytecode.h"

typedef union TwVec {
    uint8_t u8[16];
    uint16_t u16[8];
    uint32_t u32[4];
    uint64_t u64[2];
    int8_t s8[16];
    int16_t s16[8];
    int32_t s32[4];
    int64_t s64[2];
} TwVec;

/*
 * One VLD, VST or VOP. @base is the address that the first two add imm to;
 * @regs and @vregs are the scalar and the vector registers.
 */
void tw_vec_load(TwInsn insn, uintptr_t base, TwVec *vregs);
void tw_vec_store(TwInsn insn, uintptr_t base, const TwVec *vregs);
void tw_vec_op(TwInsn insn, const uint64_t *regs, TwVec *vregs);

#endif
