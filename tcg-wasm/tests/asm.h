/*
 * Small TBs for unit tests, instruction by instruction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_ASM_H
#define TW_TESTS_ASM_H

#include "../insn.h"

typedef struct Asm {
    uint64_t code[256];
    size_t n;
} Asm;

/* Start with a header. */
void asm_start(Asm *as);
void asm_insn(Asm *as, TwOp op, unsigned a, unsigned b, unsigned c,
              int32_t imm);
void asm_branch(Asm *as, TwOp op, unsigned a, int rel, int32_t imm);
void asm_word(Asm *as, uint64_t word);
void asm_exit(Asm *as, uint64_t value);

#endif
