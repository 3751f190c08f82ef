/*
 * Facts about the instruction set, expanded from the X-macros of opcodes.h and
 * vec-ops.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "insn.h"

/* clang-format off */
const uint8_t tw_op_formats[TW_NB_OPS] = {
#define X(name, format, mnemonic) [TW_OP_##name] = TW_FMT_##format,
    TW_OPCODES(X)
#undef X
};

const uint8_t tw_op_lengths[TW_NB_OPS] = {
#define X(name, format, mnemonic) \
    [TW_OP_##name] = TW_FMT_##format == TW_FMT_ENTRY    ? TW_HEADER_WORDS \
                     : TW_FMT_##format == TW_FMT_LOOKUP ? 3 \
                     : TW_FMT_##format <= TW_FMT_RI64   ? 2 : 1,
    TW_OPCODES(X)
#undef X
};

static const char *const op_names[TW_NB_OPS] = {
#define X(name, format, mnemonic) [TW_OP_##name] = mnemonic,
    TW_OPCODES(X)
#undef X
};

static const uint8_t op_conds[TW_NB_OPS] = {
#define X(C, c, prefix) [TW_OP_##prefix##C] = TW_COND_##C,
    TW_CONDS_RR(X, SET_) TW_CONDS_RR(X, SET32_) TW_CONDS_RR(X, BR_)
    TW_CONDS_RR(X, BR32_) TW_CONDS_RI(X, SETI_) TW_CONDS_RI(X, SETI32_)
    TW_CONDS_RI(X, BRI_) TW_CONDS_RI(X, BRI32_)
#undef X
};

static const char *const cond_names[TW_NB_CONDS] = {
#define X(C, c, unused) [TW_COND_##C] = #c,
    TW_CONDS_RI(X, 0)
#undef X
};

const uint8_t tw_vec_kinds[TW_NB_VEC_OPS] = {
#define X(name, kind, mnemonic) [TW_VEC_##name] = TW_VEC_KIND_##kind,
    TW_VEC_OPS(X)
#undef X
};

const char *const tw_vec_names[TW_NB_VEC_OPS] = {
#define X(name, kind, mnemonic) [TW_VEC_##name] = mnemonic,
    TW_VEC_OPS(X)
#undef X
};
/* clang-format on */

const char *tw_op_name(TwOp op)
{
    return op < TW_NB_OPS ? op_names[op] : "?";
}

TwCond tw_op_cond(TwOp op)
{
    return op_conds[op];
}

const char *tw_cond_name(TwCond cond)
{
    return cond < TW_NB_CONDS ? cond_names[cond] : "?";
}

int tw_qmem_size(TwOp op)
{
    switch (op) {
    case TW_OP_QLD8U:
    case TW_OP_QLD8S:
    case TW_OP_QST8:
        return 0;
    case TW_OP_QLD16U:
    case TW_OP_QLD16S:
    case TW_OP_QST16:
        return 1;
    case TW_OP_QLD32U:
    case TW_OP_QLD32S:
    case TW_OP_QST32:
        return 2;
    case TW_OP_QLD64:
    case TW_OP_QST64:
        return 3;
    default:
        return -1;
    }
}

bool tw_insn_ends(TwInsn insn)
{
    switch (insn.op) {
    case TW_OP_EXIT_TB:
    case TW_OP_GOTO_PTR:
    case TW_OP_LOOKUP:
    case TW_OP_BR:
        return true;
    case TW_OP_CALL:
        return insn.c & TW_CALL_NO_RETURN;
    default:
        return false;
    }
}

static uint8_t imm_reg(int32_t imm)
{
    return imm < 0 || imm > TW_NO_REG ? TW_NO_REG : (uint8_t)imm;
}

static void reads(TwInsnRegs *regs, uint8_t reg)
{
    regs->reads[regs->nreads++] = reg;
}

static void writes(TwInsnRegs *regs, uint8_t reg)
{
    regs->writes[regs->nwrites++] = reg;
}

static void vreads(TwInsnRegs *regs, uint8_t reg)
{
    regs->vreads |= 1u << regs->nreads;
    reads(regs, reg);
}

static void vwrites(TwInsnRegs *regs, uint8_t reg)
{
    regs->vwrites |= 1u << regs->nwrites;
    writes(regs, reg);
}

/* Nothing for an operation that does not exist. */
static void vop_regs(TwInsn insn, TwInsnRegs *regs)
{
    unsigned op = tw_vop_op(insn.imm);
    unsigned d = tw_vop_d(insn.imm);

    if (op >= TW_NB_VEC_OPS) {
        return;
    }
    vwrites(regs, insn.a);
    if (tw_vec_kinds[op] == TW_VEC_KIND_DUP) {
        reads(regs, insn.b);
    } else {
        vreads(regs, insn.b);
    }
    switch (tw_vec_kinds[op]) {
    case TW_VEC_KIND_SELECT_BITS:
        vreads(regs, insn.c);
        vreads(regs, d > TW_NO_REG ? TW_NO_REG : (uint8_t)d);
        break;
    case TW_VEC_KIND_BINARY_BITS:
    case TW_VEC_KIND_BINARY:
        vreads(regs, insn.c);
        break;
    case TW_VEC_KIND_SHIFTS:
        reads(regs, insn.c);
        break;
    default:
        break;
    }
}

static void call_regs(TwInsn insn, TwInsnRegs *regs)
{
    TwSig sig = (TwSig)insn.imm;

    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        reads(regs, i);
    }
    if (insn.c & TW_CALL_NO_RETURN) {
        return;
    }
    if (tw_sig_ret(sig) != TW_SIG_VOID) {
        writes(regs, 0);
    }
    if (tw_sig_ret(sig) == TW_SIG_I128) {
        writes(regs, 1);
    }
}

void tw_insn_regs(TwInsn insn, TwInsnRegs *regs)
{
    uint32_t imm = (uint32_t)insn.imm;

    regs->vreads = 0;
    regs->vwrites = 0;
    regs->nreads = 0;
    regs->nwrites = 0;
    switch (tw_op_format(insn.op)) {
    case TW_FMT_ENTRY:
    case TW_FMT_EXIT:
    case TW_FMT_GOTO_TB:
    case TW_FMT_LOOKUP:
    case TW_FMT_I:
    case TW_FMT_B:
    case TW_FMT_STEI:
        break;
    case TW_FMT_CALL:
        call_regs(insn, regs);
        break;
    case TW_FMT_R:
    case TW_FMT_RIB:
    case TW_FMT_STE:
        reads(regs, insn.a);
        break;
    case TW_FMT_RRB:
        reads(regs, insn.a);
        reads(regs, imm_reg(insn.imm));
        break;
    case TW_FMT_RI:
    case TW_FMT_RI64:
    case TW_FMT_LDE:
    case TW_FMT_EB:
        writes(regs, insn.a);
        break;
    case TW_FMT_RR:
    case TW_FMT_RRI:
    case TW_FMT_FIELD:
    case TW_FMT_LD:
        reads(regs, insn.b);
        writes(regs, insn.a);
        break;
    case TW_FMT_RRR:
    case TW_FMT_DEPOSIT:
        reads(regs, insn.b);
        reads(regs, insn.c);
        writes(regs, insn.a);
        break;
    case TW_FMT_R4:
        reads(regs, insn.c);
        reads(regs, imm_reg(insn.imm));
        writes(regs, insn.a);
        writes(regs, insn.b);
        break;
    case TW_FMT_R6:
        reads(regs, insn.c);
        reads(regs, imm & 0xff);
        reads(regs, (imm >> 8) & 0xff);
        reads(regs, (imm >> 16) & 0xff);
        writes(regs, insn.a);
        writes(regs, insn.b);
        break;
    case TW_FMT_MOVCOND:
        reads(regs, insn.b);
        reads(regs, insn.c);
        reads(regs, imm & 0xff);
        reads(regs, (imm >> 8) & 0xff);
        writes(regs, insn.a);
        break;
    case TW_FMT_ST:
        reads(regs, insn.a);
        reads(regs, insn.b);
        break;
    case TW_FMT_QMEM:
        reads(regs, insn.b);
        if (tw_qmem_is_store(insn.op)) {
            reads(regs, insn.a);
        } else {
            writes(regs, insn.a);
        }
        break;
    case TW_FMT_VLD:
        reads(regs, insn.b);
        vwrites(regs, insn.a);
        break;
    case TW_FMT_VST:
        vreads(regs, insn.a);
        reads(regs, insn.b);
        break;
    case TW_FMT_VI64:
        vwrites(regs, insn.a);
        break;
    case TW_FMT_VOP:
        vop_regs(insn, regs);
        break;
    }
}
