/*
 * Instruction selection: division, and operations with double-width results.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-regs.h"

typedef void Push(TwEmit *e, unsigned reg);

/* The Wasm instructions of one width. */
typedef struct Width {
    uint8_t type, eqz, add, sub, and, lt_u, div[4];
    bool is32;
} Width;

enum { DIV_S, DIV_U, REM_S, REM_U };

static const Width width64 = {
    W_TYPE_I64,
    W_I64_EQZ,
    W_I64_ADD,
    W_I64_SUB,
    W_I64_AND,
    W_I64_LT_U,
    { W_I64_DIV_S, W_I64_DIV_U, W_I64_REM_S, W_I64_REM_U },
    false,
};

static const Width width32 = {
    W_TYPE_I32,
    W_I32_EQZ,
    W_I32_ADD,
    W_I32_SUB,
    W_I32_AND,
    W_I32_LT_U,
    { W_I32_DIV_S, W_I32_DIV_U, W_I32_REM_S, W_I32_REM_U },
    true,
};

static void put_const(TwEmit *e, const Width *w, int v)
{
    if (w->is32) {
        put_i32(e, (uint32_t)v);
    } else {
        put_i64(e, v);
    }
}

/*
 * Push the result for divisors c that Wasm's division may trap on: 0, and with
 * signs -1. x / c is 0 or -x, that is 0 - (x & c); x % c is x or 0, that is x &
 * ~c.
 */
static void put_special(TwEmit *e, const Width *w, int kind)
{
    Push *push = w->is32 ? tw_peek32 : tw_peek;

    switch (kind) {
    case DIV_S:
        put_const(e, w, 0);
        push(e, e->insn.b);
        push(e, e->insn.c);
        put_byte(e, w->and);
        put_byte(e, w->sub);
        break;
    case REM_S:     /* ~c = -1 - c */
        push(e, e->insn.b);
        put_const(e, w, -1);
        push(e, e->insn.c);
        put_byte(e, w->sub);
        put_byte(e, w->and);
        break;
    case DIV_U:
        put_const(e, w, 0);
        break;
    default:
        push(e, e->insn.b);
        break;
    }
}

static void emit_div(TwEmit *e, const Width *w, int kind)
{
    Push *peek = w->is32 ? tw_peek32 : tw_peek;
    bool is_signed = kind == DIV_S || kind == REM_S;
    int64_t c = 0;
    bool safe = tw_is_const(e, e->insn.c, &c);

    c = w->is32 ? (int32_t)c : c;
    safe = safe && c != 0 && !(is_signed && c == -1);
    if (!safe) {
        peek(e, e->insn.c);
        if (is_signed) {
            put_const(e, w, 1);
            put_byte(e, w->add);
            put_const(e, w, 2);
            put_byte(e, w->lt_u);
        } else {
            put_byte(e, w->eqz);
        }
        put_if(e, w->type);
        e->in_arm = true;
        put_special(e, w, kind);
        put_byte(e, W_ELSE);
    }
    peek(e, e->insn.b);
    peek(e, e->insn.c);
    put_byte(e, w->div[kind]);
    if (!safe) {
        put_byte(e, W_END);
        e->in_arm = false;
    }
    if (w->is32) {
        tw_write_u32(e, e->insn.a);
    } else {
        tw_write(e, e->insn.a);
    }
}

static void put_shift32(TwEmit *e, unsigned op)
{
    put_i64(e, 32);
    put_byte(e, op);
}

static void put_low32(TwEmit *e)
{
    put_byte(e, W_I32_WRAP);
    put_byte(e, W_I64_EXTEND_U);
}

/* Pop an i64 and write it as two zero-extended halves: a low, b high. */
static void write_halves(TwEmit *e)
{
    put_tee(e, e->plan->scratch[TW_S0]);
    put_low32(e);
    tw_write(e, e->insn.a);
    put_get(e, e->plan->scratch[TW_S0]);
    put_shift32(e, W_I64_SHR_U);
    tw_write(e, e->insn.b);
}

static void put_joined(TwEmit *e, unsigned low, unsigned high)
{
    tw_peek(e, high);
    put_shift32(e, W_I64_SHL);
    tw_peek32(e, low);
    put_byte(e, W_I64_EXTEND_U);
    put_byte(e, W_I64_OR);
}

/* a:b = d:c op f:e */
static void emit_addsub2(TwEmit *e, bool sub, bool is32)
{
    uint32_t imm = (uint32_t)e->insn.imm;
    unsigned c = e->insn.c, d = imm & 0xff;
    unsigned e_ = (imm >> 8) & 0xff, f = (imm >> 16) & 0xff;
    unsigned op = sub ? W_I64_SUB : W_I64_ADD;

    if (is32) {
        put_joined(e, c, d);
        put_joined(e, e_, f);
        put_byte(e, op);
        write_halves(e);
        return;
    }
    tw_peek(e, c);
    tw_peek(e, e_);
    put_byte(e, op);
    put_set(e, e->plan->scratch[TW_S0]);
    tw_peek(e, d);
    tw_peek(e, f);
    put_byte(e, op);
    if (sub) {
        tw_peek(e, c);
        tw_peek(e, e_);
    } else {
        put_get(e, e->plan->scratch[TW_S0]);
        tw_peek(e, c);
    }
    put_byte(e, W_I64_LT_U);
    put_byte(e, W_I64_EXTEND_U);
    put_byte(e, op);
    tw_write(e, e->insn.b);
    put_get(e, e->plan->scratch[TW_S0]);
    tw_write(e, e->insn.a);
}

static void emit_mul2_32(TwEmit *e, unsigned extend)
{
    tw_peek32(e, e->insn.c);
    put_byte(e, extend);
    tw_peek32(e, (uint32_t)e->insn.imm);
    put_byte(e, extend);
    put_byte(e, W_I64_MUL);
    write_halves(e);
}

static void put_scratch(TwEmit *e, TwScratch scratch)
{
    put_get(e, e->plan->scratch[scratch]);
}

/* Split a register: low half in @low, high half in @high. */
static void put_split(TwEmit *e, unsigned reg, TwScratch low, TwScratch high)
{
    tw_peek32(e, reg);
    put_byte(e, W_I64_EXTEND_U);
    put_set(e, e->plan->scratch[low]);
    tw_peek(e, reg);
    put_shift32(e, W_I64_SHR_U);
    put_set(e, e->plan->scratch[high]);
}

/*
 * From the i64 on the stack, the high half of an unsigned product, subtract y
 * if x < 0.
 */
static void put_sign_fix(TwEmit *e, unsigned x, unsigned y)
{
    tw_peek(e, x);
    put_i64(e, 63);
    put_byte(e, W_I64_SHR_S);
    tw_peek(e, y);
    put_byte(e, W_I64_AND);
    put_byte(e, W_I64_SUB);
}

/*
 * 64 x 64 -> 128 bits by halves: with c = S1:S0 and d = S3:S2 (high:low),
 *     m = S1 * S2 + (S0 * S2 >> 32)
 *     high = S1 * S3 + (m >> 32) + (S0 * S3 + (uint32_t)m >> 32)
 */
static void emit_mul2(TwEmit *e, bool is_signed)
{
    unsigned c = e->insn.c, d = (uint32_t)e->insn.imm;

    put_split(e, c, TW_S0, TW_S1);
    put_split(e, d, TW_S2, TW_S3);
    put_scratch(e, TW_S1);
    put_scratch(e, TW_S2);
    put_byte(e, W_I64_MUL);
    put_scratch(e, TW_S0);
    put_scratch(e, TW_S2);
    put_byte(e, W_I64_MUL);
    put_shift32(e, W_I64_SHR_U);
    put_byte(e, W_I64_ADD);
    put_set(e, e->plan->scratch[TW_S4]);

    put_scratch(e, TW_S1);
    put_scratch(e, TW_S3);
    put_byte(e, W_I64_MUL);
    put_scratch(e, TW_S4);
    put_shift32(e, W_I64_SHR_U);
    put_byte(e, W_I64_ADD);
    put_scratch(e, TW_S0);
    put_scratch(e, TW_S3);
    put_byte(e, W_I64_MUL);
    put_scratch(e, TW_S4);
    put_low32(e);
    put_byte(e, W_I64_ADD);
    put_shift32(e, W_I64_SHR_U);
    put_byte(e, W_I64_ADD);
    if (is_signed) {
        put_sign_fix(e, c, d);
        put_sign_fix(e, d, c);
    }
    tw_peek(e, c);
    tw_peek(e, d);
    put_byte(e, W_I64_MUL);
    tw_write(e, e->insn.a);
    tw_write(e, e->insn.b);
}

bool tw_emit_wide(TwEmit *e)
{
    switch (e->insn.op) {
    case TW_OP_DIV:
        emit_div(e, &width64, DIV_S);
        return true;
    case TW_OP_DIVU:
        emit_div(e, &width64, DIV_U);
        return true;
    case TW_OP_REM:
        emit_div(e, &width64, REM_S);
        return true;
    case TW_OP_REMU:
        emit_div(e, &width64, REM_U);
        return true;
    case TW_OP_DIV32:
        emit_div(e, &width32, DIV_S);
        return true;
    case TW_OP_DIVU32:
        emit_div(e, &width32, DIV_U);
        return true;
    case TW_OP_REM32:
        emit_div(e, &width32, REM_S);
        return true;
    case TW_OP_REMU32:
        emit_div(e, &width32, REM_U);
        return true;
    case TW_OP_ADD2:
    case TW_OP_ADD2_32:
        emit_addsub2(e, false, e->insn.op == TW_OP_ADD2_32);
        return true;
    case TW_OP_SUB2:
    case TW_OP_SUB2_32:
        emit_addsub2(e, true, e->insn.op == TW_OP_SUB2_32);
        return true;
    case TW_OP_MULU2:
    case TW_OP_MULS2:
        emit_mul2(e, e->insn.op == TW_OP_MULS2);
        return true;
    case TW_OP_MULU2_32:
        emit_mul2_32(e, W_I64_EXTEND_U);
        return true;
    case TW_OP_MULS2_32:
        emit_mul2_32(e, W_I64_EXTEND_S);
        return true;
    default:
        return false;
    }
}
