/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "asm.h"

void asm_start(Asm *as)
{
    memset(as, 0, sizeof(*as));
    as->n = TW_HEADER_WORDS;
    as->code[0] = TW_OP_ENTRY;
}

static void put(Asm *as, TwInsn insn)
{
    memcpy(&as->code[as->n++], &insn, sizeof(insn));
}

void asm_insn(Asm *as, TwOp op, unsigned a, unsigned b, unsigned c, int32_t imm)
{
    TwInsn insn = { .op = op, .a = a, .imm = imm };

    insn.b = b;
    insn.c = c;
    put(as, insn);
}

void asm_branch(Asm *as, TwOp op, unsigned a, int rel, int32_t imm)
{
    put(as, (TwInsn){ .op = op, .a = a, .rel = (int16_t)rel, .imm = imm });
}

void asm_word(Asm *as, uint64_t word)
{
    as->code[as->n++] = word;
}

void asm_exit(Asm *as, uint64_t value)
{
    asm_insn(as, TW_OP_EXIT_TB, 0, 0, 0, 0);
    asm_word(as, value);
}
