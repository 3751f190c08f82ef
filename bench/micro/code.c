/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "code.h"

#include <string.h>

static void put(Code *c, TwInsn insn)
{
    memcpy(&c->words[c->n++], &insn, sizeof(insn));
}

void code_start(Code *c, uint64_t *words, uint32_t id)
{
    TwHeader header = {
        .op = TW_OP_ENTRY,
        .countdown = INT32_MAX,
        .id = id,
    };

    *c = (Code){ .words = words, .n = TW_HEADER_WORDS };
    memcpy(words, &header, sizeof(header));
}

void code_finish(Code *c, uint32_t guest_insns)
{
    TwHeader *header = (TwHeader *)c->words;

    header->size = c->n * (uint32_t)sizeof(c->words[0]);
    header->guest_insns = (uint16_t)guest_insns;
}

void code_insn(Code *c, TwOp op, unsigned a, unsigned b, unsigned r,
               int32_t imm)
{
    TwInsn insn = { .op = (uint8_t)op, .a = (uint8_t)a, .imm = imm };

    insn.b = (uint8_t)b;
    insn.c = (uint8_t)r;
    put(c, insn);
}

void code_env(Code *c, TwOp op, unsigned a, int32_t ofs)
{
    code_insn(c, op, a, 0, 0, ofs);
}

void code_store_const(Code *c, TwOp op, int value, int32_t ofs)
{
    put(c, (TwInsn){ .op = (uint8_t)op, .rel = (int16_t)value, .imm = ofs });
}

void code_guest(Code *c, TwOp op, unsigned a, unsigned addr, unsigned size)
{
    code_insn(c, op, a, addr, 0, (int32_t)(size << 4));
}

uint32_t code_branch(Code *c, TwOp op, unsigned a, int32_t imm)
{
    put(c, (TwInsn){ .op = (uint8_t)op, .a = (uint8_t)a, .imm = imm });
    return c->n - 1;
}

void code_branch_here(Code *c, uint32_t branch)
{
    TwInsn insn;

    memcpy(&insn, &c->words[branch], sizeof(insn));
    insn.rel = (int16_t)(c->n - branch);
    memcpy(&c->words[branch], &insn, sizeof(insn));
}

void code_const64(Code *c, unsigned a, uint64_t value)
{
    code_insn(c, TW_OP_MOVI64, a, 0, 0, 0);
    c->words[c->n++] = value;
}

void code_call(Code *c, TwSig sig, uintptr_t fn, unsigned flags)
{
    code_insn(c, TW_OP_CALL, 0, 0, flags, (int32_t)sig);
    c->words[c->n++] = fn;
}

uint32_t code_goto_tb(Code *c, unsigned exit)
{
    code_insn(c, TW_OP_GOTO_TB, exit, 0, 0, 0);
    c->words[c->n] = (uintptr_t)&c->words[c->n + 1];
    return c->n++;
}

void code_exit(Code *c)
{
    code_insn(c, TW_OP_EXIT_TB, 0, 0, 0, 0);
    c->words[c->n++] = 0;
}
