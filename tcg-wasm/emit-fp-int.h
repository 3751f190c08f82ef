/*
 * Inside floating point: what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_FP_INT_H
#define TW_EMIT_FP_INT_H

#include "emit-write.h"

enum { SINGLE = 2, DOUBLE = 3 }; /* TwFpHelper.size */

typedef struct Fp {
    const TwFpHelper *helper;
    unsigned operands;
    unsigned conditions; /* pushed so far */
} Fp;

/* Where operands are. */

static inline bool tw_fp_is_vector(const Fp *fp)
{
    return fp->helper->from == TW_FP_VECTOR;
}

static inline bool tw_fp_in_memory(const Fp *fp)
{
    return fp->helper->from == TW_FP_MEMORY || tw_fp_is_vector(fp);
}

/* The local of the result's bits; that of a vector is VS0. */
static inline unsigned tw_fp_result(const TwEmit *e)
{
    return e->plan->scratch[TW_S0];
}

static inline void tw_fp_set_result(TwEmit *e)
{
    put_set(e, tw_fp_result(e));
}

/* emit-fp-operands.c */

/* Push the address that @reg has plus @ofs; returns the offset to add. */
uint32_t tw_fp_push_pointer(TwEmit *e, unsigned reg, int32_t ofs);

/* Load operands that are in memory into locals. */
void tw_fp_load_operands(TwEmit *e, const Fp *fp);

/* Push operand @i: its bits as an i64, or the number; or the vector. */
void tw_fp_push_bits(TwEmit *e, const Fp *fp, unsigned i);
void tw_fp_push_number(TwEmit *e, const Fp *fp, unsigned i);
void tw_fp_push_numbers(TwEmit *e, const Fp *fp);

/* The number of @size on the stack to its bits as an i64. */
void tw_fp_put_bits(TwEmit *e, unsigned size);

void tw_fp_put_vector_mem(TwEmit *e, uint32_t op, uint32_t ofs);
void tw_fp_put_f64(TwEmit *e, double value);

/* A SIMD comparison or operation on f32x4, or its namesake on f64x2. */
void tw_fp_put_lanes(TwEmit *e, const Fp *fp, uint32_t op32);

/*
 * emit-fp-tests.c: conditions for the fast path. Each pushes an i32, and joins
 * it with those before.
 */

static inline void tw_fp_join(TwEmit *e, Fp *fp)
{
    if (fp->conditions++) {
        put_byte(e, W_I32_AND);
    }
}

/* The rounding mode is @mode, and the inexact flag is raised; the latter. */
void tw_fp_put_status(TwEmit *e, Fp *fp, uint32_t mode);
void tw_fp_put_inexact(TwEmit *e, Fp *fp);

/* Operands: none is denormal, if flags know; boxed, if need be; no NaN. */
void tw_fp_put_not_denormal(TwEmit *e, Fp *fp);
void tw_fp_put_boxed(TwEmit *e, Fp *fp);
void tw_fp_put_ordered(TwEmit *e, Fp *fp);

/* |a| < @limit; a >= 0 */
void tw_fp_put_below(TwEmit *e, Fp *fp, double limit);
void tw_fp_put_not_negative(TwEmit *e, Fp *fp);

/*
 * The result, of @size, is larger than the smallest normal number, and finite;
 * it is finite.
 */
void tw_fp_put_normal(TwEmit *e, Fp *fp, unsigned size);
void tw_fp_put_finite(TwEmit *e, Fp *fp, unsigned size);

/* Shift the sign out of the bits on the stack, and the exponent to the top. */
void tw_fp_put_shift(TwEmit *e, unsigned size);

/* emit-fp-fused.c, emit-fp-ops.c: leave a result, and push conditions. */
void tw_fp_multiply_add(TwEmit *e, Fp *fp);
void tw_fp_compute(TwEmit *e, Fp *fp);

#endif
