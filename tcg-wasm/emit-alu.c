/*
 * Instruction selection: arithmetic, logic, moves, bit fields.
 *
 * Operands are pushed in the order in which they are usually made, so that the
 * one made last may still be on the stack.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-regs.h"

/* An operation of two operands that is one Wasm instruction. */
typedef struct Binary {
    uint8_t wop;
    enum { NOT_BINARY, I64, I32, I64_IMM, I32_IMM } kind;
    bool commutes;
    bool invert_c;      /* op(b, ~c) */
    bool invert;        /* ~op(b, c) */
} Binary;

static const Binary binaries[TW_NB_OPS] = {
    [TW_OP_ADD] = { W_I64_ADD, I64, true, false, false },
    [TW_OP_SUB] = { W_I64_SUB, I64, false, false, false },
    [TW_OP_MUL] = { W_I64_MUL, I64, true, false, false },
    [TW_OP_AND] = { W_I64_AND, I64, true, false, false },
    [TW_OP_OR] = { W_I64_OR, I64, true, false, false },
    [TW_OP_XOR] = { W_I64_XOR, I64, true, false, false },
    [TW_OP_ANDC] = { W_I64_AND, I64, false, true, false },
    [TW_OP_ORC] = { W_I64_OR, I64, false, true, false },
    [TW_OP_EQV] = { W_I64_XOR, I64, true, false, true },
    [TW_OP_NAND] = { W_I64_AND, I64, true, false, true },
    [TW_OP_NOR] = { W_I64_OR, I64, true, false, true },
    [TW_OP_SHL] = { W_I64_SHL, I64, false, false, false },
    [TW_OP_SHR] = { W_I64_SHR_U, I64, false, false, false },
    [TW_OP_SAR] = { W_I64_SHR_S, I64, false, false, false },
    [TW_OP_ROTL] = { W_I64_ROTL, I64, false, false, false },
    [TW_OP_ROTR] = { W_I64_ROTR, I64, false, false, false },
    [TW_OP_SHR32] = { W_I32_SHR_U, I32, false, false, false },
    [TW_OP_SAR32] = { W_I32_SHR_S, I32, false, false, false },
    [TW_OP_ROTL32] = { W_I32_ROTL, I32, false, false, false },
    [TW_OP_ROTR32] = { W_I32_ROTR, I32, false, false, false },
    [TW_OP_ADDI] = { W_I64_ADD, I64_IMM, false, false, false },
    [TW_OP_MULI] = { W_I64_MUL, I64_IMM, false, false, false },
    [TW_OP_ANDI] = { W_I64_AND, I64_IMM, false, false, false },
    [TW_OP_ORI] = { W_I64_OR, I64_IMM, false, false, false },
    [TW_OP_XORI] = { W_I64_XOR, I64_IMM, false, false, false },
    [TW_OP_SHLI] = { W_I64_SHL, I64_IMM, false, false, false },
    [TW_OP_SHRI] = { W_I64_SHR_U, I64_IMM, false, false, false },
    [TW_OP_SARI] = { W_I64_SHR_S, I64_IMM, false, false, false },
    [TW_OP_ROTLI] = { W_I64_ROTL, I64_IMM, false, false, false },
    [TW_OP_SHRI32] = { W_I32_SHR_U, I32_IMM, false, false, false },
    [TW_OP_SARI32] = { W_I32_SHR_S, I32_IMM, false, false, false },
    [TW_OP_ROTLI32] = { W_I32_ROTL, I32_IMM, false, false, false },
};

static void put_invert(TwEmit *e)
{
    put_i64(e, -1);
    put_byte(e, W_I64_XOR);
}

static void emit_binary64(TwEmit *e, const Binary *binary)
{
    unsigned b = e->insn.b, c = e->insn.c;

    if (binary->commutes && tw_just_set(e, c)) {
        b = e->insn.c;
        c = e->insn.b;
    }
    tw_read(e, b);
    tw_read(e, c);
    if (binary->invert_c) {
        put_invert(e);
    }
    put_byte(e, binary->wop);
    if (binary->invert) {
        put_invert(e);
    }
    tw_write(e, e->insn.a);
}

static bool emit_binary(TwEmit *e)
{
    const Binary *binary = &binaries[e->insn.op];

    switch (binary->kind) {
    case NOT_BINARY:
        return false;
    case I64:
        emit_binary64(e, binary);
        return true;
    case I64_IMM:
        tw_read(e, e->insn.b);
        put_i64(e, e->insn.imm);
        put_byte(e, binary->wop);
        tw_write(e, e->insn.a);
        return true;
    case I32:
        tw_read32(e, e->insn.b);
        tw_read32(e, e->insn.c);
        break;
    case I32_IMM:
        tw_read32(e, e->insn.b);
        put_i32(e, (uint32_t)e->insn.imm);
        break;
    }
    put_byte(e, binary->wop);
    tw_write_u32(e, e->insn.a);
    return true;
}

static void emit_move(TwEmit *e)
{
    TwInsn insn = e->insn;

    switch (insn.op) {
    case TW_OP_MOVI:
        tw_write_known(e, insn.a, TW_CONST, insn.imm);
        break;
    case TW_OP_MOVI64:
        tw_write_known(e, insn.a, TW_CONST, (int64_t)e->plan->code[e->at + 1]);
        break;
    default:    /* MOV, ADDI of env or frame */
        tw_write_known(e, insn.a,
                       insn.b == TW_REG_ENV ? TW_ENV_PLUS : TW_FRAME_PLUS,
                       insn.op == TW_OP_ADDI ? insn.imm : 0);
        break;
    }
}

static bool is_known_move(TwInsn insn)
{
    return insn.op == TW_OP_MOVI || insn.op == TW_OP_MOVI64 ||
           ((insn.op == TW_OP_MOV || insn.op == TW_OP_ADDI) &&
            insn.b >= TW_REG_ENV);
}

/* Operations of one operand. */
static bool emit_unary(TwEmit *e)
{
    TwInsn insn = e->insn;

    switch (insn.op) {
    case TW_OP_EXT32U:
        tw_read32(e, insn.b);
        tw_write_u32(e, insn.a);
        return true;
    case TW_OP_CTPOP32:
        tw_read32(e, insn.b);
        put_byte(e, W_I32_POPCNT);
        tw_write_u32(e, insn.a);
        return true;
    case TW_OP_EXT32S:
        tw_read32(e, insn.b);
        put_extend(e, W_I64_EXTEND_S);
        tw_write(e, insn.a);
        return true;
    case TW_OP_NEG:
        put_i64(e, 0);
        tw_read(e, insn.b);
        put_byte(e, W_I64_SUB);
        tw_write(e, insn.a);
        return true;
    default:
        break;
    }
    tw_read(e, insn.b);
    switch (insn.op) {
    case TW_OP_MOV:
        break;
    case TW_OP_NOT:
        put_invert(e);
        break;
    case TW_OP_EXT8U:
        put_i64(e, 0xff);
        put_byte(e, W_I64_AND);
        break;
    case TW_OP_EXT16U:
        put_i64(e, 0xffff);
        put_byte(e, W_I64_AND);
        break;
    case TW_OP_EXT8S:
        put_byte(e, W_I64_EXTEND8_S);
        break;
    case TW_OP_EXT16S:
        put_byte(e, W_I64_EXTEND16_S);
        break;
    case TW_OP_CTPOP:
        put_byte(e, W_I64_POPCNT);
        break;
    }
    tw_write(e, insn.a);
    return true;
}

/* (left(x, 8) & mask_l) | (right(x, 8) & mask_r) of T0, as 32 bits */
static void put_swap32(TwEmit *e, unsigned left, uint32_t mask_l,
                       unsigned right, uint32_t mask_r)
{
    put_get(e, e->plan->scratch[TW_T0]);
    put_i32(e, 8);
    put_byte(e, left);
    put_i32(e, mask_l);
    put_byte(e, W_I32_AND);
    put_get(e, e->plan->scratch[TW_T0]);
    put_i32(e, 8);
    put_byte(e, right);
    put_i32(e, mask_r);
    put_byte(e, W_I32_AND);
    put_byte(e, W_I32_OR);
}

/* ((x & mask) << n) | ((x >> n) & mask) of the i64 on the stack */
static void put_swap64(TwEmit *e, unsigned n, uint64_t mask)
{
    put_tee(e, e->plan->scratch[TW_S0]);
    put_i64(e, (int64_t)mask);
    put_byte(e, W_I64_AND);
    put_i64(e, n);
    put_byte(e, W_I64_SHL);
    put_get(e, e->plan->scratch[TW_S0]);
    put_i64(e, n);
    put_byte(e, W_I64_SHR_U);
    put_i64(e, (int64_t)mask);
    put_byte(e, W_I64_AND);
    put_byte(e, W_I64_OR);
}

static bool emit_bswap(TwEmit *e)
{
    TwInsn insn = e->insn;

    switch (insn.op) {
    case TW_OP_BSWAP16:
        tw_read32(e, insn.b);
        put_set(e, e->plan->scratch[TW_T0]);
        put_swap32(e, W_I32_SHL, 0xff00, W_I32_SHR_U, 0x00ff);
        tw_write_u32(e, insn.a);
        return true;
    case TW_OP_BSWAP32:
        tw_read32(e, insn.b);
        put_set(e, e->plan->scratch[TW_T0]);
        put_swap32(e, W_I32_ROTL, 0x00ff00ff, W_I32_ROTR, 0xff00ff00);
        tw_write_u32(e, insn.a);
        return true;
    case TW_OP_BSWAP64:
        tw_read(e, insn.b);
        put_swap64(e, 8, UINT64_C(0x00ff00ff00ff00ff));
        put_swap64(e, 16, UINT64_C(0x0000ffff0000ffff));
        put_i64(e, 32);
        put_byte(e, W_I64_ROTL);
        tw_write(e, insn.a);
        return true;
    default:
        return false;
    }
}

/*
 * a = b ? count(b) : c. In TCG's code c is nearly always the width, which is
 * also what Wasm's instruction gives for 0.
 */
static bool emit_count(TwEmit *e)
{
    TwInsn insn = e->insn;
    bool is32 = insn.op == TW_OP_CLZ32 || insn.op == TW_OP_CTZ32;
    bool clz = insn.op == TW_OP_CLZ || insn.op == TW_OP_CLZ32;
    int64_t c;

    if (!clz && insn.op != TW_OP_CTZ && !is32) {
        return false;
    }
    if (tw_is_const(e, insn.c, &c) && (is32 ? (uint32_t)c == 32 : c == 64)) {
        if (is32) {
            tw_read32(e, insn.b);
            put_byte(e, clz ? W_I32_CLZ : W_I32_CTZ);
            tw_write_u32(e, insn.a);
        } else {
            tw_read(e, insn.b);
            put_byte(e, clz ? W_I64_CLZ : W_I64_CTZ);
            tw_write(e, insn.a);
        }
        return true;
    }
    if (is32) {
        tw_peek32(e, insn.b);
        put_byte(e, clz ? W_I32_CLZ : W_I32_CTZ);
        tw_read32(e, insn.c);
        tw_peek32(e, insn.b);
        put_byte(e, W_SELECT);
        tw_write_u32(e, insn.a);
    } else {
        tw_peek(e, insn.b);
        put_byte(e, clz ? W_I64_CLZ : W_I64_CTZ);
        tw_read(e, insn.c);
        tw_peek(e, insn.b);
        put_i64(e, 0);
        put_byte(e, W_I64_NE);
        put_byte(e, W_SELECT);
        tw_write(e, insn.a);
    }
    return true;
}

static void emit_extract(TwEmit *e, TwInsn insn, bool is_signed)
{
    unsigned pos = insn.c, len = (unsigned)insn.imm;

    if (pos == 0 && len == 32 && !is_signed) {
        tw_read32(e, insn.b);
        tw_write_u32(e, insn.a);
        return;
    }
    tw_read(e, insn.b);
    if (pos + len == 64 ||
        (is_signed && (len == 8 || len == 16 || len == 32))) {
        if (pos) {
            put_i64(e, pos);
            put_byte(e, is_signed ? W_I64_SHR_S : W_I64_SHR_U);
        }
        if (pos + len != 64) {
            put_byte(e, len == 8    ? W_I64_EXTEND8_S
                        : len == 16 ? W_I64_EXTEND16_S
                                    : W_I64_EXTEND32_S);
        }
    } else if (!is_signed && len <= 32) {
        if (pos) {
            put_i64(e, pos);
            put_byte(e, W_I64_SHR_U);
        }
        put_i64(e, (INT64_C(1) << len) - 1);
        put_byte(e, W_I64_AND);
    } else {
        put_i64(e, 64 - pos - len);
        put_byte(e, W_I64_SHL);
        put_i64(e, 64 - len);
        put_byte(e, is_signed ? W_I64_SHR_S : W_I64_SHR_U);
    }
    tw_write(e, insn.a);
}

static void emit_deposit(TwEmit *e, TwInsn insn)
{
    unsigned ofs = insn.imm & 0xff, len = (unsigned)insn.imm >> 8;
    uint64_t mask = ~UINT64_C(0) >> (64 - len);

    if (len == 64) {
        tw_read(e, insn.c);
        tw_write(e, insn.a);
        return;
    }
    tw_read(e, insn.b);
    put_i64(e, (int64_t)~(mask << ofs));
    put_byte(e, W_I64_AND);
    tw_read(e, insn.c);
    if (ofs + len != 64) {
        put_i64(e, (int64_t)mask);
        put_byte(e, W_I64_AND);
    }
    if (ofs) {
        put_i64(e, ofs);
        put_byte(e, W_I64_SHL);
    }
    put_byte(e, W_I64_OR);
    tw_write(e, insn.a);
}

bool tw_emit_alu(TwEmit *e)
{
    if (is_known_move(e->insn)) {
        emit_move(e);
        return true;
    }
    if (emit_binary(e) || emit_bswap(e) || emit_count(e)) {
        return true;
    }
    switch (tw_op_format(e->insn.op)) {
    case TW_FMT_RR:
        return emit_unary(e);
    case TW_FMT_FIELD:
        emit_extract(e, e->insn, e->insn.op == TW_OP_SEXTRACT);
        return true;
    case TW_FMT_DEPOSIT:
        emit_deposit(e, e->insn);
        return true;
    default:
        return false;
    }
}
