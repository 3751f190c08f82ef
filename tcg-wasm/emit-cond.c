/*
 * Instruction selection: comparisons, as values and as conditions of branches.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-flow.h"
#include "emit-regs.h"
#include "emit-slots.h"
#include "plan-live.h"

/* clang-format off */
/*
 * The i32 comparison for each condition; + CMP_64 is that for i64. TSTEQ and
 * TSTNE are no comparisons of Wasm's: put_compare() makes them.
 */
static const uint8_t cmp_wop[TW_NB_CONDS] = {
    [TW_COND_EQ] = W_I32_EQ, [TW_COND_NE] = W_I32_NE,
    [TW_COND_LT] = W_I32_LT_S, [TW_COND_GE] = W_I32_GE_S,
    [TW_COND_LE] = W_I32_LE_S, [TW_COND_GT] = W_I32_GT_S,
    [TW_COND_LTU] = W_I32_LT_U, [TW_COND_GEU] = W_I32_GE_U,
    [TW_COND_LEU] = W_I32_LE_U, [TW_COND_GTU] = W_I32_GT_U,
};

static const uint8_t swapped[TW_NB_CONDS] = {
    [TW_COND_EQ] = TW_COND_EQ, [TW_COND_NE] = TW_COND_NE,
    [TW_COND_LT] = TW_COND_GT, [TW_COND_GE] = TW_COND_LE,
    [TW_COND_LE] = TW_COND_GE, [TW_COND_GT] = TW_COND_LT,
    [TW_COND_LTU] = TW_COND_GTU, [TW_COND_GEU] = TW_COND_LEU,
    [TW_COND_LEU] = TW_COND_GEU, [TW_COND_GTU] = TW_COND_LTU,
    [TW_COND_TSTEQ] = TW_COND_TSTEQ, [TW_COND_TSTNE] = TW_COND_TSTNE,
};
/* clang-format on */

static_assert(W_I32_LT_S + CMP_64 + 1 == W_I64_LT_U, "i64 comparisons");

/*
 * Compare the two operands on the stack. The result of TSTNE is 0 or 1 if
 * @as_bool, else 0 or any other value.
 */
static void put_compare(TwEmit *e, bool is32, TwCond cond, bool as_bool)
{
    bool test = cond == TW_COND_TSTEQ || cond == TW_COND_TSTNE;

    if (!test) {
        put_byte(e, cmp_wop[cond] + (is32 ? 0 : CMP_64));
        return;
    }
    put_byte(e, is32 ? W_I32_AND : W_I64_AND);
    if (cond == TW_COND_TSTEQ) {
        put_byte(e, is32 ? W_I32_EQZ : W_I64_EQZ);
    } else if (!is32) {
        put_i64(e, 0);
        put_byte(e, W_I64_NE);
    } else if (as_bool) {
        put_i32(e, 0);
        put_byte(e, W_I32_NE);
    }
}

static void compare_rr(TwEmit *e, bool is32, TwCond cond, unsigned x,
                       unsigned y, bool as_bool)
{
    if (tw_just_set(e, y)) {
        unsigned t = x;

        x = y;
        y = t;
        cond = swapped[cond];
    }
    if (is32) {
        tw_read32(e, x);
        tw_read32(e, y);
    } else {
        tw_read(e, x);
        tw_read(e, y);
    }
    put_compare(e, is32, cond, as_bool);
}

static void compare_ri(TwEmit *e, bool is32, TwCond cond, unsigned x,
                       int32_t imm, bool as_bool)
{
    if (is32) {
        tw_read32(e, x);
    } else {
        tw_read(e, x);
    }
    if (imm == 0 && cond == TW_COND_EQ) {
        put_byte(e, is32 ? W_I32_EQZ : W_I64_EQZ);
        return;
    }
    if (imm == 0 && cond == TW_COND_NE && is32 && !as_bool) {
        return;
    }
    if (is32) {
        put_i32(e, (uint32_t)imm);
    } else {
        put_i64(e, imm);
    }
    put_compare(e, is32, cond, as_bool);
}

static bool emit_set(TwEmit *e)
{
    TwInsn insn = e->insn;
    TwOp op = insn.op;
    uint32_t imm = (uint32_t)insn.imm;

    if (op >= TW_OP_SET_EQ && op <= TW_OP_SET32_TSTNE) {
        compare_rr(e, op >= TW_OP_SET32_EQ, tw_op_cond(op), insn.b, insn.c,
                   true);
        tw_write_u32(e, insn.a);
    } else if (op >= TW_OP_SETI_EQ && op <= TW_OP_SETI32_TSTNE) {
        compare_ri(e, op >= TW_OP_SETI32_EQ, tw_op_cond(op), insn.b, insn.imm,
                   true);
        tw_write_u32(e, insn.a);
    } else if (op == TW_OP_MOVCOND) {
        tw_read(e, imm & 0xff);
        tw_read(e, (imm >> 8) & 0xff);
        compare_rr(e, false, imm >> 16, insn.b, insn.c, false);
        put_byte(e, W_SELECT);
        tw_write(e, insn.a);
    } else if (op == TW_OP_MOVCOND32) {
        tw_read32(e, imm & 0xff);
        tw_read32(e, (imm >> 8) & 0xff);
        compare_rr(e, true, imm >> 16, insn.b, insn.c, false);
        put_byte(e, W_SELECT);
        tw_write_u32(e, insn.a);
    } else {
        return false;
    }
    return true;
}

/* Push the condition of this branch, an i32. */
static void put_condition(TwEmit *e)
{
    TwInsn insn = e->insn;
    TwOp op = insn.op;

    if (op >= TW_OP_BR_EQ && op <= TW_OP_BR32_TSTNE) {
        compare_rr(e, op >= TW_OP_BR32_EQ, tw_op_cond(op), insn.a,
                   (uint32_t)insn.imm, false);
    } else if (op >= TW_OP_BRI_EQ && op <= TW_OP_BRI32_TSTNE) {
        compare_ri(e, op >= TW_OP_BRI32_EQ, tw_op_cond(op), insn.a, insn.imm,
                   false);
    } else {    /* BR_ENV_LT0, whose register is rarely read afterwards */
        TwEnvAccess access = { .ofs = insn.imm, .size = 2 };
        uint32_t ofs;

        tw_slots_touch(e, &access);
        ofs = tw_push_env(e, insn.imm);
        if ((e->live >> insn.a) & 1) {
            put_mem(e, W_I64_LOAD32_U, 2, ofs);
            tw_write(e, insn.a);
            tw_read32(e, insn.a);
        } else {
            put_mem(e, W_I32_LOAD, 2, ofs);
        }
        put_i32(e, 0);
        put_byte(e, W_I32_LT_S);
    }
}

static void emit_branch(TwEmit *e)
{
    tw_flush(e, tw_live_at_target(e->plan, e->at));
    tw_slots_settle(e, tw_taken_label(e));
    if (e->insn.op == TW_OP_BR) {
        tw_flow_jump(e);
    } else {
        put_condition(e);
        tw_flow_jump_if(e);
    }
}

bool tw_emit_cond(TwEmit *e)
{
    if (tw_format_branches(tw_op_format(e->insn.op))) {
        emit_branch(e);
        return true;
    }
    return emit_set(e);
}
