/*
 * What helpers of floating point compute, by Wasm's instructions. Each leaves
 * bits in S0 or a vector in VS0, and pushes conditions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp-int.h"

#include "emit-regs.h"

static void compute(TwEmit *e, const Fp *fp, unsigned op32, uint32_t lanes32)
{
    bool is_double = fp->helper->size == DOUBLE;

    tw_fp_push_numbers(e, fp);
    if (tw_fp_is_vector(fp)) {
        tw_fp_put_lanes(e, fp, lanes32);
        put_set(e, e->plan->scratch[TW_VS0]);
    } else {
        put_byte(e, op32 + (is_double ? W_F64_ABS - W_F32_ABS : 0));
        tw_fp_put_bits(e, fp->helper->size);
        tw_fp_set_result(e);
    }
}

static void arithmetic(TwEmit *e, Fp *fp)
{
    static const struct {
        uint8_t op32, lanes32;
    } ops[] = {
        [TW_FP_ADD] = { W_F32_ADD, W_F32X4_ADD },
        [TW_FP_SUB] = { W_F32_SUB, W_F32X4_SUB },
        [TW_FP_MUL] = { W_F32_MUL, W_F32X4_MUL },
        [TW_FP_DIV] = { W_F32_DIV, W_F32X4_DIV },
        [TW_FP_SQRT] = { W_F32_SQRT, W_F32X4_SQRT },
    };
    TwFpOp op = fp->helper->op;
    bool exact_if_small =
        op == TW_FP_ADD || op == TW_FP_SUB || op == TW_FP_SQRT;

    compute(e, fp, ops[op].op32, ops[op].lanes32);
    tw_fp_put_status(e, fp, TW_FP_NEAREST);
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    if (exact_if_small && fp->helper->denormals && !tw_fp_is_vector(fp)) {
        tw_fp_put_finite(e, fp, fp->helper->size);
    } else {
        tw_fp_put_normal(e, fp, fp->helper->size);
    }
}

static void extreme(TwEmit *e, Fp *fp)
{
    bool lowest = fp->helper->op == TW_FP_MIN;

    compute(e, fp, lowest ? W_F32_MIN : W_F32_MAX, 0);
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    tw_fp_put_ordered(e, fp);
}

/* a < b ? a : b; of lanes, pmin(b, a). */
static void choice(TwEmit *e, Fp *fp)
{
    bool lesser = fp->helper->op == TW_FP_LESSER;
    bool is_double = fp->helper->size == DOUBLE;

    if (tw_fp_is_vector(fp)) {
        tw_fp_push_bits(e, fp, 1);
        tw_fp_push_bits(e, fp, 0);
        tw_fp_put_lanes(e, fp, lesser ? W_F32X4_PMIN : W_F32X4_PMAX);
        put_set(e, e->plan->scratch[TW_VS0]);
    } else {
        tw_fp_push_bits(e, fp, 0);
        tw_fp_push_bits(e, fp, 1);
        tw_fp_push_numbers(e, fp);
        put_byte(e, lesser ? (is_double ? W_F64_LT : W_F32_LT)
                           : (is_double ? W_F64_GT : W_F32_GT));
        put_byte(e, W_SELECT);
        if (fp->helper->size == SINGLE && !tw_fp_in_memory(fp)) {
            put_byte(e, W_I32_WRAP); /* the register may hold more */
            put_byte(e, W_I64_EXTEND_U);
        }
        tw_fp_set_result(e);
    }
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    tw_fp_put_ordered(e, fp);
}

static void comparison(TwEmit *e, Fp *fp)
{
    static const uint8_t ops32[] = {
        [TW_FP_EQ] = W_F32_EQ,
        [TW_FP_LT] = W_F32_LT,
        [TW_FP_LE] = W_F32_LE,
    };
    bool is_double = fp->helper->size == DOUBLE;

    tw_fp_push_numbers(e, fp);
    put_byte(e, ops32[fp->helper->op] + (is_double ? W_F64_EQ - W_F32_EQ : 0));
    put_byte(e, W_I64_EXTEND_U);
    tw_fp_set_result(e);
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    tw_fp_put_ordered(e, fp);
}

static void relation(TwEmit *e, Fp *fp)
{
    const TwFpRelation *values = fp->helper->relation;
    bool is_double = fp->helper->size == DOUBLE;

    put_i64(e, values->less);
    put_i64(e, values->equal);
    put_i64(e, values->greater);
    tw_fp_push_numbers(e, fp);
    put_byte(e, is_double ? W_F64_EQ : W_F32_EQ);
    put_byte(e, W_SELECT);
    tw_fp_push_numbers(e, fp);
    put_byte(e, is_double ? W_F64_LT : W_F32_LT);
    put_byte(e, W_SELECT);
    tw_fp_set_result(e);
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    tw_fp_put_ordered(e, fp);
}

static void resize(TwEmit *e, Fp *fp)
{
    tw_fp_push_numbers(e, fp);
    if (fp->helper->size == SINGLE) {
        put_byte(e, W_F64_PROMOTE);
        tw_fp_put_bits(e, DOUBLE);
        tw_fp_set_result(e);
        tw_fp_put_boxed(e, fp);
        tw_fp_put_not_denormal(e, fp);
        tw_fp_put_finite(e, fp, DOUBLE);
    } else {
        put_byte(e, W_F32_DEMOTE);
        tw_fp_put_bits(e, SINGLE);
        tw_fp_set_result(e);
        tw_fp_put_status(e, fp, TW_FP_NEAREST);
        tw_fp_put_not_denormal(e, fp);
        tw_fp_put_normal(e, fp, SINGLE);
    }
}

static void from_integer(TwEmit *e, Fp *fp)
{
    static const uint8_t ops32[] = { W_F32_CONVERT_I32_S, W_F32_CONVERT_I32_U,
                                     W_F32_CONVERT_I64_S, W_F32_CONVERT_I64_U };
    TwFpOp op = fp->helper->op;
    bool is_double = fp->helper->size == DOUBLE;
    bool from_i64 = op == TW_FP_FROM_I64 || op == TW_FP_FROM_U64;

    tw_peek(e, fp->helper->reg[0]);
    if (!from_i64) {
        put_byte(e, W_I32_WRAP);
    }
    put_byte(e,
             ops32[op - TW_FP_FROM_I32] +
                 (is_double ? W_F64_CONVERT_I32_S - W_F32_CONVERT_I32_S : 0));
    tw_fp_put_bits(e, fp->helper->size);
    tw_fp_set_result(e);
    if (from_i64 || !is_double) {
        tw_fp_put_status(e, fp, TW_FP_NEAREST);
    }
}

/*
 * To an integer. The guest's rounding mode is to zero, most often; TO_x reads
 * it, TRUNC_x needs none.
 */
static void to_integer(TwEmit *e, Fp *fp)
{
    static const struct {
        uint8_t sat32; /* of f32; + 2: of f64 */
        uint8_t bits;
        bool is_signed, reads_mode;
    } kinds[] = {
        [TW_FP_TO_I32] = { W_I32_TRUNC_SAT_F32_S, 32, true, true },
        [TW_FP_TO_U32] = { W_I32_TRUNC_SAT_F32_U, 32, false, true },
        [TW_FP_TO_SIGNED_U32] = { W_I32_TRUNC_SAT_F32_U, 32, false, true },
        [TW_FP_TO_I64] = { W_I64_TRUNC_SAT_F32_S, 64, true, true },
        [TW_FP_TO_U64] = { W_I64_TRUNC_SAT_F32_U, 64, false, true },
        [TW_FP_TRUNC_I32] = { W_I32_TRUNC_SAT_F32_S, 32, true, false },
        [TW_FP_TRUNC_I64] = { W_I64_TRUNC_SAT_F32_S, 64, true, false },
    };
    TwFpOp op = fp->helper->op;
    bool sign_extends =
        tw_sig_ret((TwSig)e->insn.imm) == TW_SIG_I64 && op != TW_FP_TO_U32;
    int high = kinds[op].bits - kinds[op].is_signed;

    tw_fp_push_numbers(e, fp);
    put_byte(e, W_PREFIX_MISC);
    put_u32(e, kinds[op].sat32 + (fp->helper->size == DOUBLE ? 2 : 0));
    if (kinds[op].bits == 32) {
        put_byte(e, sign_extends ? W_I64_EXTEND_S : W_I64_EXTEND_U);
    }
    tw_fp_set_result(e);
    if (kinds[op].reads_mode) {
        tw_fp_put_status(e, fp, TW_FP_TO_ZERO);
    } else {
        tw_fp_put_inexact(e, fp);
    }
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
    if (!kinds[op].is_signed) {
        tw_fp_put_not_negative(e, fp);
    }
    tw_fp_put_below(e, fp,
                    high == 31   ? 0x1p31
                    : high == 32 ? 0x1p32
                    : high == 63 ? 0x1p63
                                 : 0x1p64);
}

void tw_fp_compute(TwEmit *e, Fp *fp)
{
    switch ((TwFpOp)fp->helper->op) {
    case TW_FP_ADD:
    case TW_FP_SUB:
    case TW_FP_MUL:
    case TW_FP_DIV:
    case TW_FP_SQRT:
        arithmetic(e, fp);
        break;
    case TW_FP_MULTIPLY_ADD:
        tw_fp_multiply_add(e, fp);
        break;
    case TW_FP_MIN:
    case TW_FP_MAX:
        extreme(e, fp);
        break;
    case TW_FP_LESSER:
    case TW_FP_GREATER:
        choice(e, fp);
        break;
    case TW_FP_EQ:
    case TW_FP_LT:
    case TW_FP_LE:
        comparison(e, fp);
        break;
    case TW_FP_RELATION:
        relation(e, fp);
        break;
    case TW_FP_RESIZE:
        resize(e, fp);
        break;
    case TW_FP_FROM_I32:
    case TW_FP_FROM_U32:
    case TW_FP_FROM_I64:
    case TW_FP_FROM_U64:
        from_integer(e, fp);
        break;
    case TW_FP_TO_I32:
    case TW_FP_TO_U32:
    case TW_FP_TO_SIGNED_U32:
    case TW_FP_TO_I64:
    case TW_FP_TO_U64:
    case TW_FP_TRUNC_I32:
    case TW_FP_TRUNC_I64:
        to_integer(e, fp);
        break;
    case TW_FP_SET_MODE:
    case TW_FP_SWAP_MODE:
    case TW_NB_FP_OPS:
        assert(false);
    }
}
