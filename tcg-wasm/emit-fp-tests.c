/*
 * Conditions for the fast path of floating point.
 *
 * Numbers are tested as integers whose sign has been shifted out, with the
 * exponent at the top. 32-bit numbers are the low halves of 64-bit integers,
 * which are shifted by 33.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp-int.h"

static void put_masked_status(TwEmit *e, Fp *fp, uint32_t mask, uint32_t value)
{
    uint32_t ofs =
        tw_fp_push_pointer(e, fp->helper->status_reg, fp->helper->status);

    put_mem(e, W_I32_LOAD, 0, ofs);
    put_i32(e, mask);
    put_byte(e, W_I32_AND);
    put_i32(e, value);
    put_byte(e, W_I32_EQ);
    tw_fp_join(e, fp);
}

/* The rounding mode is @mode, and the inexact flag is raised. */
void tw_fp_put_status(TwEmit *e, Fp *fp, uint32_t mode)
{
    put_masked_status(e, fp, TW_FP_MODE_MASK | TW_FP_INEXACT,
                      mode << TW_FP_MODE_SHIFT | TW_FP_INEXACT);
}

/* The inexact flag is raised. */
void tw_fp_put_inexact(TwEmit *e, Fp *fp)
{
    put_masked_status(e, fp, TW_FP_INEXACT, TW_FP_INEXACT);
}

/* The smallest normal number, and infinity, as they are after the shift. */
static uint64_t shifted_min(unsigned size)
{
    return UINT64_C(1) << (size == DOUBLE ? 53 : 56);
}

static uint64_t shifted_infinity(unsigned size)
{
    return -shifted_min(size);
}

void tw_fp_put_shift(TwEmit *e, unsigned size)
{
    put_i64(e, size == DOUBLE ? 1 : 33);
    put_byte(e, W_I64_SHL);
}

/* Of vectors: the four halves of the comparison's result are all ones. */
static void put_all_true(TwEmit *e)
{
    put_simd(e, W_I32X4_ALL_TRUE);
}

static void put_splat(TwEmit *e, unsigned size, uint64_t bits)
{
    put_simd(e, W_V128_CONST);
    for (int i = 0; i < 16; i++) {
        put_byte(e, bits >> (8 * (i % (1 << size))) & 0xff);
    }
}

static uint64_t min_bits(unsigned size)
{
    return size == DOUBLE ? UINT64_C(1) << 52 : UINT64_C(1) << 23;
}

static uint64_t infinity_bits(unsigned size)
{
    return size == DOUBLE ? UINT64_C(0x7ff) << 52 : UINT64_C(0xff) << 23;
}

static void not_denormal_lanes(TwEmit *e, Fp *fp, unsigned i)
{
    unsigned size = fp->helper->size;

    tw_fp_push_bits(e, fp, i);
    tw_fp_put_lanes(e, fp, W_F32X4_ABS);
    put_splat(e, size, min_bits(size));
    tw_fp_put_lanes(e, fp, W_F32X4_GE);
    tw_fp_push_bits(e, fp, i);
    put_splat(e, size, 0);
    tw_fp_put_lanes(e, fp, W_F32X4_EQ);
    put_simd(e, W_V128_OR);
    put_all_true(e);
    tw_fp_join(e, fp);
}

/* No operand is denormal, if flags know. Zero is not denormal. */
void tw_fp_put_not_denormal(TwEmit *e, Fp *fp)
{
    unsigned size = fp->helper->size;

    if (fp->helper->denormals) {
        return;
    }
    for (unsigned i = 0; i < fp->operands; i++) {
        if (tw_fp_is_vector(fp)) {
            not_denormal_lanes(e, fp, i);
            continue;
        }
        tw_fp_push_bits(e, fp, i);
        tw_fp_put_shift(e, size);
        put_i64(e, 1);
        put_byte(e, W_I64_SUB);
        put_i64(e, (int64_t)(shifted_min(size) - 1));
        put_byte(e, W_I64_GE_U);
        tw_fp_join(e, fp);
    }
}

/* Of numbers in 64 bits: these are boxed. */
void tw_fp_put_boxed(TwEmit *e, Fp *fp)
{
    if (fp->helper->from != TW_FP_BOXED) {
        return;
    }
    tw_fp_push_bits(e, fp, 0);
    for (unsigned i = 1; i < fp->operands; i++) {
        tw_fp_push_bits(e, fp, i);
        put_byte(e, W_I64_AND);
    }
    put_i64(e, (int64_t)(UINT64_MAX << 32));
    put_byte(e, W_I64_GE_U);
    tw_fp_join(e, fp);
}

/* No operand is a NaN. */
void tw_fp_put_ordered(TwEmit *e, Fp *fp)
{
    for (unsigned i = 0; i < fp->operands; i++) {
        tw_fp_push_number(e, fp, i);
        tw_fp_push_number(e, fp, i);
        if (tw_fp_is_vector(fp)) {
            tw_fp_put_lanes(e, fp, W_F32X4_EQ);
            put_all_true(e);
        } else {
            put_byte(e, fp->helper->size == DOUBLE ? W_F64_EQ : W_F32_EQ);
        }
        tw_fp_join(e, fp);
    }
}

/* The result in VS0 is larger than the smallest normal number, and finite. */
static void normal_lanes(TwEmit *e, Fp *fp)
{
    unsigned size = fp->helper->size;
    unsigned absolute = e->plan->scratch[TW_VS1]; /* no operand any more */

    put_get(e, e->plan->scratch[TW_VS0]);
    tw_fp_put_lanes(e, fp, W_F32X4_ABS);
    put_tee(e, absolute);
    put_splat(e, size, min_bits(size));
    tw_fp_put_lanes(e, fp, W_F32X4_GT);
    put_get(e, absolute);
    put_splat(e, size, infinity_bits(size));
    tw_fp_put_lanes(e, fp, W_F32X4_LT);
    put_simd(e, W_V128_AND);
    put_all_true(e);
    tw_fp_join(e, fp);
}

/* The same of the number in S0, which has @size. */
void tw_fp_put_normal(TwEmit *e, Fp *fp, unsigned size)
{
    uint64_t least =
        shifted_min(size) + (size == DOUBLE ? 2 : UINT64_C(1) << 33);

    if (tw_fp_is_vector(fp)) {
        normal_lanes(e, fp);
        return;
    }
    put_get(e, tw_fp_result(e));
    tw_fp_put_shift(e, size);
    put_i64(e, (int64_t)least);
    put_byte(e, W_I64_SUB);
    put_i64(e, (int64_t)(shifted_infinity(size) - least));
    put_byte(e, W_I64_LT_U);
    tw_fp_join(e, fp);
}

void tw_fp_put_finite(TwEmit *e, Fp *fp, unsigned size)
{
    put_get(e, tw_fp_result(e));
    tw_fp_put_shift(e, size);
    put_i64(e, (int64_t)shifted_infinity(size));
    put_byte(e, W_I64_LT_U);
    tw_fp_join(e, fp);
}

/* |a| < @limit */
void tw_fp_put_below(TwEmit *e, Fp *fp, double limit)
{
    tw_fp_push_number(e, fp, 0);
    if (fp->helper->size == SINGLE) {
        put_byte(e, W_F64_PROMOTE);
    }
    put_byte(e, W_F64_ABS);
    tw_fp_put_f64(e, limit);
    put_byte(e, W_F64_LT);
    tw_fp_join(e, fp);
}

/* a >= 0 */
void tw_fp_put_not_negative(TwEmit *e, Fp *fp)
{
    tw_fp_push_bits(e, fp, 0);
    put_i64(e, fp->helper->size == DOUBLE ? 63 : 31);
    put_byte(e, W_I64_SHR_U);
    put_byte(e, W_I32_WRAP);
    put_i32(e, 1);
    put_byte(e, W_I32_AND);
    put_byte(e, W_I32_EQZ);
    tw_fp_join(e, fp);
}
