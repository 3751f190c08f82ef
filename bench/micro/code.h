/*
 * Bytecode for benchmarks, instruction by instruction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_CODE_H
#define MICRO_CODE_H

#include "tcg-wasm/bytecode.h"

typedef struct Code {
    uint64_t *words;
    uint32_t n;
} Code;

/* Begin a TB at @words. Its countdown is so large that no policy is asked. */
void code_start(Code *c, uint64_t *words, uint32_t id);

/* Fill in the header's facts: the TB ends here. */
void code_finish(Code *c, uint32_t guest_insns);

void code_insn(Code *c, TwOp op, unsigned a, unsigned b, unsigned r,
               int32_t imm);

/* Env accesses: @a <-> env + @ofs. */
void code_env(Code *c, TwOp op, unsigned a, int32_t ofs);

/* env + @ofs <- @value */
void code_store_const(Code *c, TwOp op, int value, int32_t ofs);

/* Guest accesses of 2^@size bytes: @a <-> guest memory at register @addr. */
void code_guest(Code *c, TwOp op, unsigned a, unsigned addr, unsigned size);

/*
 * A branch; returns its word. Its target is where code_branch_here() is called.
 */
uint32_t code_branch(Code *c, TwOp op, unsigned a, int32_t imm);
void code_branch_here(Code *c, uint32_t branch);

void code_const64(Code *c, unsigned a, uint64_t value);

/* CALL of @fn; see TwSig. @flags: TW_CALL_* */
void code_call(Code *c, TwSig sig, uintptr_t fn, unsigned flags);

/* An exit, not chained; returns the word that holds its target. */
uint32_t code_goto_tb(Code *c, unsigned exit);

void code_exit(Code *c);

#endif
