/*
 * The verifier: one pass over a TB's words that proves what every consumer
 * takes for granted (see tw_verify() in bytecode.h).
 *
 * Reachability is judged by the order of the words: code after an instruction
 * that ends is dead until a branch target. A label that is the target of later
 * dead code alone cannot be what makes control run off the end, so one pass
 * is enough.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdarg.h>
#include <stdio.h>

#include "insn.h"
#include "layout.h"

enum { BITS = 64 };

typedef struct Verifier {
    const uint64_t *code;
    size_t nwords;
    char *why;
    size_t whysize;
    uint64_t starts[TW_MAX_WORDS / BITS];
    uint64_t targets[TW_MAX_WORDS / BITS];
} Verifier;

static void set_bit(uint64_t *bits, size_t i)
{
    bits[i / BITS] |= UINT64_C(1) << (i % BITS);
}

static bool get_bit(const uint64_t *bits, size_t i)
{
    return (bits[i / BITS] >> (i % BITS)) & 1;
}

static bool __attribute__((format(printf, 2, 3))) refuse(Verifier *v,
                                                         const char *format,
                                                         ...)
{
    va_list args;

    if (v->whysize) {
        va_start(args, format);
        vsnprintf(v->why, v->whysize, format, args);
        va_end(args);
    }
    return false;
}

static bool field(Verifier *v, size_t at, TwInsn insn, const char *what)
{
    return refuse(v, "word %zu: %s: %s out of range", at, tw_op_name(insn.op),
                  what);
}

/* Is @reg a register of the kind that the operand wants? */
static bool check_reg(Verifier *v, size_t at, TwInsn insn, unsigned reg,
                      bool is_vector)
{
    if (is_vector ? reg < TW_REG_V0 : reg >= TW_NB_REGS) {
        return refuse(v, "word %zu: %s: no such %sregister r%u", at,
                      tw_op_name(insn.op), is_vector ? "vector " : "", reg);
    }
    if (reg >= TW_NB_ALL_REGS) {
        return refuse(v, "word %zu: %s: no such vector register r%u", at,
                      tw_op_name(insn.op), reg);
    }
    return true;
}

static bool check_regs(Verifier *v, size_t at, TwInsn insn)
{
    TwInsnRegs regs;

    tw_insn_regs(insn, &regs);
    for (unsigned i = 0; i < regs.nreads; i++) {
        if (!check_reg(v, at, insn, regs.reads[i], regs.vreads >> i & 1)) {
            return false;
        }
    }
    for (unsigned i = 0; i < regs.nwrites; i++) {
        bool is_vector = regs.vwrites >> i & 1;

        if (!check_reg(v, at, insn, regs.writes[i], is_vector)) {
            return false;
        }
        if (regs.writes[i] >= TW_REG_ENV && !is_vector) {
            return refuse(v, "word %zu: %s: r%u is not writable", at,
                          tw_op_name(insn.op), regs.writes[i]);
        }
    }
    if (regs.nwrites == 2 && regs.writes[0] == regs.writes[1]) {
        return refuse(v, "word %zu: %s: both results in r%u", at,
                      tw_op_name(insn.op), regs.writes[0]);
    }
    return true;
}

static bool check_qmem(Verifier *v, size_t at, TwInsn insn)
{
    uint32_t oi = (uint32_t)insn.imm;
    int size = tw_qmem_size(insn.op);

    if (insn.imm < 0 || (oi & 15) != insn.c) {
        return field(v, at, insn, "MMU index");
    }
    if (size < 0 ? TW_MEMOP_SIZE(oi) > 3
                 : TW_MEMOP_SIZE(oi) != (unsigned)size) {
        return field(v, at, insn, "access size");
    }
    return true;
}

static bool check_call(Verifier *v, size_t at, TwInsn insn)
{
    TwSig sig = (TwSig)insn.imm;

    if (tw_sig_nargs(sig) > TW_MAX_CALL_REGS || sig >> 6 >> tw_sig_nargs(sig)) {
        return field(v, at, insn, "signature");
    }
    return true;
}

static bool check_vop(Verifier *v, size_t at, TwInsn insn)
{
    unsigned op = tw_vop_op(insn.imm), size = tw_vop_size(insn.imm);

    if (op >= TW_NB_VEC_OPS) {
        return field(v, at, insn, "operation");
    }
    if (!tw_vec_kind_has_size((TwVecKind)tw_vec_kinds[op], size)) {
        return field(v, at, insn, "element size");
    }
    if (tw_vec_kinds[op] == TW_VEC_KIND_SHIFTI && insn.c >= 8u << size) {
        return field(v, at, insn, "count");
    }
    return true;
}

/* Fields other than registers and branch offsets. */
static bool check_fields(Verifier *v, size_t at, TwInsn insn)
{
    uint32_t imm = (uint32_t)insn.imm;

    switch (tw_op_format(insn.op)) {
    case TW_FMT_FIELD:
        if (insn.c >= 64 || imm < 1 || imm > 64u - insn.c) {
            return field(v, at, insn, "bit field");
        }
        return true;
    case TW_FMT_DEPOSIT:
        if (imm >> 16 || (imm & 0xff) >= 64 || imm >> 8 < 1 ||
            (imm & 0xff) + (imm >> 8) > 64) {
            return field(v, at, insn, "bit field");
        }
        return true;
    case TW_FMT_R6:
        if (imm >> 24) {
            return field(v, at, insn, "operand list");
        }
        return true;
    case TW_FMT_MOVCOND:
        if (imm >> 16 >= TW_NB_CONDS) {
            return field(v, at, insn, "condition");
        }
        return true;
    case TW_FMT_GOTO_TB:
        if (insn.a > 1) {
            return field(v, at, insn, "exit number");
        }
        return true;
    case TW_FMT_CALL:
        return check_call(v, at, insn);
    case TW_FMT_QMEM:
        return check_qmem(v, at, insn);
    case TW_FMT_VLD:
        return insn.c < TW_NB_VEC_LOADS || field(v, at, insn, "access size");
    case TW_FMT_VST:
        return insn.c == 3 || insn.c == 4 || field(v, at, insn, "access size");
    case TW_FMT_VOP:
        return check_vop(v, at, insn);
    default:
        return true;
    }
}

static bool check_branch(Verifier *v, size_t at, TwInsn insn)
{
    ptrdiff_t target = (ptrdiff_t)at + insn.rel;

    if (target < TW_HEADER_WORDS || (size_t)target >= v->nwords) {
        return refuse(v, "word %zu: %s: branch outside, to word %td", at,
                      tw_op_name(insn.op), target);
    }
    set_bit(v->targets, (size_t)target);
    return true;
}

static bool check_insn(Verifier *v, size_t at, TwInsn insn)
{
    if (insn.op >= TW_NB_OPS) {
        return refuse(v, "word %zu: unknown opcode %u", at, insn.op);
    }
    if ((insn.op == TW_OP_ENTRY) != (at == 0)) {
        return refuse(
            v, at ? "word %zu: entry inside the TB" : "word %zu: no entry", at);
    }
    if (!tw_fused_matches(v->code, at, v->nwords)) {
        return refuse(v, "word %zu: %s: not followed by what it is fused with",
                      at, tw_op_name(insn.op));
    }
    if (tw_op_words(insn.op) > v->nwords - at) {
        return refuse(v, "word %zu: %s: cut off", at, tw_op_name(insn.op));
    }
    if (tw_format_branches(tw_op_format(insn.op)) &&
        !check_branch(v, at, insn)) {
        return false;
    }
    /* The signature first: it says which registers a call reads. */
    return check_fields(v, at, insn) && check_regs(v, at, insn);
}

bool tw_verify(const uint64_t *code, size_t nwords, char *why, size_t whysize)
{
    Verifier v;
    bool falls = true;

    v.code = code;
    v.nwords = nwords;
    v.why = why;
    v.whysize = whysize;
    if (nwords == 0) {
        return refuse(&v, "word 0: no entry");
    }
    if (nwords > TW_MAX_WORDS) {
        return refuse(&v, "%zu words: longer than %d", nwords, TW_MAX_WORDS);
    }
    memset(v.starts, 0, (nwords + BITS - 1) / BITS * sizeof(v.starts[0]));
    memset(v.targets, 0, (nwords + BITS - 1) / BITS * sizeof(v.targets[0]));

    for (size_t at = 0; at < nwords;) {
        TwInsn insn = tw_insn_at(code, at);

        if (!check_insn(&v, at, insn)) {
            return false;
        }
        falls = (falls || get_bit(v.targets, at)) && !tw_insn_ends(insn);
        set_bit(v.starts, at);
        at += tw_op_words(insn.op);
    }
    if (falls) {
        return refuse(&v, "word %zu: control runs off the end", nwords);
    }
    for (size_t i = 0; i < (nwords + BITS - 1) / BITS; i++) {
        uint64_t bad = v.targets[i] & ~v.starts[i];

        if (bad) {
            return refuse(&v, "word %zu: branch into an instruction",
                          i * BITS + (size_t)__builtin_ctzll(bad));
        }
    }
    return true;
}
