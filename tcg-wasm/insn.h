/*
 * One instruction taken apart: what the verifier, the disassembler and the
 * emitter share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_INSN_H
#define TW_INSN_H

#include <string.h>

#include "bytecode.h"

enum {
    TW_MAX_WORDS = 1 << 16,     /* longest TB that the verifier accepts */
    /*
     * no register; also for numbers that do not fit into 8 bits
     */
    TW_NO_REG = 0xff,
};

static_assert((unsigned)TW_MAX_CALL_REGS >= 4, "R6 reads four registers");

/*
 * Registers that an instruction reads and writes, in the format's order.
 * @vreads, @vwrites: bit per operand that is a vector register.
 */
typedef struct TwInsnRegs {
    uint16_t vreads;
    uint16_t vwrites;
    uint8_t nreads;
    uint8_t nwrites;
    uint8_t reads[TW_MAX_CALL_REGS + 1];
    uint8_t writes[2];
} TwInsnRegs;

/* The plain opcode of each superinstruction's first instruction. */
extern const uint8_t tw_fused_first[256 - TW_NB_OPS];

/* The instruction at word @at, as if nothing was fused. */
static inline TwInsn tw_insn_at(const uint64_t *code, size_t at)
{
    TwInsn insn;

    memcpy(&insn, &code[at], sizeof(insn));
    if (insn.op >= TW_NB_OPS) {
        insn.op = tw_fused_first[insn.op - TW_NB_OPS];
    }
    return insn;
}

/*
 * Is the opcode byte at word @at plain, or that of a superinstruction which the
 * instructions from there on make up? fuse.c
 */
bool tw_fused_matches(const uint64_t *code, size_t at, size_t nwords);

void tw_insn_regs(TwInsn insn, TwInsnRegs *regs);

/* Does @insn never continue with the next one? */
bool tw_insn_ends(TwInsn insn);

static inline bool tw_format_branches(TwFormat format)
{
    return format == TW_FMT_B || format == TW_FMT_RRB || format == TW_FMT_RIB ||
           format == TW_FMT_EB;
}

/* log2 of the bytes that a QMEM instruction moves; -1 for QLDX and QSTX. */
int tw_qmem_size(TwOp op);

static inline bool tw_qmem_is_store(TwOp op)
{
    return (op >= TW_OP_QST8 && op <= TW_OP_QST64) || op == TW_OP_QSTX;
}

/* Conditions by opcode (SET*, BR*), and their names. */
TwCond tw_op_cond(TwOp op);
const char *tw_cond_name(TwCond cond);

#endif
