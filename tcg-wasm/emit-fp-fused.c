/*
 * Fused multiply-add, of which Wasm has none.
 *
 * 64 bits: the product is p + q exactly (T. J. Dekker, "A floating-point
 * technique for extending the available precision", 1971), and p + c is s + t
 * exactly (D. E. Knuth, TAOCP 2, 4.2.2). So the result is s + (t + q), where
 * v = t + q is exact, or has an error of half a unit in its last place at the
 * most. As rounding is monotonic, s + v is right if it is the same with v a
 * little larger and a little smaller (A. Ziv, "Fast evaluation of elementary
 * mathematical functions with correctly rounded last bit", 1991). q is exact
 * unless p is very small; what is too large ends as a NaN, which differs from
 * itself, or as infinity.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp-int.h"

static unsigned d(const TwEmit *e, unsigned i)
{
    return e->plan->scratch[TW_D0 + i];
}

/* D[to] = D[a] op D[b] */
static void d_op(TwEmit *e, unsigned op, unsigned a, unsigned b)
{
    put_get(e, d(e, a));
    put_get(e, d(e, b));
    put_byte(e, op);
}

/* D[high] = the upper half of D[from]'s digits, D[from] = the lower half */
static void split(TwEmit *e, unsigned from, unsigned high)
{
    put_get(e, d(e, from));
    tw_fp_put_f64(e, 0x1p27 + 1);
    put_byte(e, W_F64_MUL);
    put_tee(e, d(e, high));
    d_op(e, W_F64_SUB, high, from);
    put_byte(e, W_F64_SUB);
    put_set(e, d(e, high));
    d_op(e, W_F64_SUB, from, high);
    put_set(e, d(e, from));
}

enum {
    A,
    B,
    C,
    P,
    HIGH_A,
    HIGH_B,
    /* then: */ Q = A,
    S = B,
    V = C,
    T = HIGH_A
};

/* D[Q] = D[A] * D[B] - D[P] */
static void product_error(TwEmit *e)
{
    split(e, A, HIGH_A);
    split(e, B, HIGH_B);
    d_op(e, W_F64_MUL, A, B);
    put_get(e, d(e, P));
    d_op(e, W_F64_MUL, HIGH_A, HIGH_B);
    put_byte(e, W_F64_SUB);
    d_op(e, W_F64_MUL, A, HIGH_B);
    put_byte(e, W_F64_SUB);
    d_op(e, W_F64_MUL, HIGH_A, B);
    put_byte(e, W_F64_SUB);
    put_byte(e, W_F64_SUB);
    put_set(e, d(e, Q));
}

/* D[S] = D[P] + D[C], D[T] = what that lacks */
static void sum_and_error(TwEmit *e)
{
    d_op(e, W_F64_ADD, P, C);
    put_tee(e, d(e, S));
    put_get(e, d(e, P));
    put_byte(e, W_F64_SUB);
    put_set(e, d(e, T));
    put_get(e, d(e, P));
    d_op(e, W_F64_SUB, S, T);
    put_byte(e, W_F64_SUB);
    d_op(e, W_F64_SUB, C, T);
    put_byte(e, W_F64_ADD);
    put_set(e, d(e, T));
}

/* Leaves D[S] + D[V] * @factor. */
static void rounded(TwEmit *e, double factor)
{
    put_get(e, d(e, S));
    put_get(e, d(e, V));
    tw_fp_put_f64(e, factor);
    put_byte(e, W_F64_MUL);
    put_byte(e, W_F64_ADD);
}

/* Leaves: is D[V] exactly D[T] + D[Q]? */
static void is_exact(TwEmit *e)
{
    unsigned part = HIGH_B;

    d_op(e, W_F64_SUB, V, T);
    put_tee(e, d(e, part));
    put_get(e, d(e, Q));
    put_byte(e, W_F64_EQ);
    d_op(e, W_F64_SUB, V, part);
    put_get(e, d(e, T));
    put_byte(e, W_F64_EQ);
    put_byte(e, W_I32_AND);
}

static void multiply_add_double(TwEmit *e, Fp *fp)
{
    /* 2^-800 after the shift */
    const uint64_t least = (UINT64_C(1023) - 800) << 53;

    product_error(e);
    sum_and_error(e);
    d_op(e, W_F64_ADD, T, Q);
    put_set(e, d(e, V));
    d_op(e, W_F64_ADD, S, V);
    put_byte(e, W_I64_REINTERPRET);
    tw_fp_set_result(e);
    rounded(e, 1 + 0x1p-52);
    rounded(e, 1 - 0x1p-52);
    put_byte(e, W_F64_EQ);
    is_exact(e);
    put_byte(e, W_I32_OR);
    tw_fp_join(e, fp);
    put_get(e, d(e, P));
    put_byte(e, W_I64_REINTERPRET);
    tw_fp_put_shift(e, DOUBLE);
    put_i64(e, (int64_t)least);
    put_byte(e, W_I64_GE_U);
    tw_fp_join(e, fp);
    tw_fp_put_finite(e, fp, DOUBLE);
}

/*
 * 32 bits: the product is exact in 64 bits. The sum, rounded to 64 bits, is
 * rounded right once more unless it is in the middle of two 32-bit numbers.
 */
static void multiply_add_single(TwEmit *e, Fp *fp)
{
    const uint32_t middle = UINT32_C(1) << 28;

    d_op(e, W_F64_ADD, P, C);
    put_tee(e, d(e, S));
    put_byte(e, W_F32_DEMOTE);
    tw_fp_put_bits(e, SINGLE);
    tw_fp_set_result(e);
    put_get(e, d(e, S));
    put_byte(e, W_I64_REINTERPRET);
    put_byte(e, W_I32_WRAP);
    put_i32(e, 2 * middle - 1);
    put_byte(e, W_I32_AND);
    put_i32(e, middle);
    put_byte(e, W_I32_NE);
    tw_fp_join(e, fp);
    tw_fp_put_normal(e, fp, SINGLE);
}

void tw_fp_multiply_add(TwEmit *e, Fp *fp)
{
    static const uint8_t negates[] = { TW_FP_NEGATES_PRODUCT, 0,
                                       TW_FP_NEGATES_C };
    bool is_double = fp->helper->size == DOUBLE;

    for (unsigned i = A; i <= C; i++) {
        tw_fp_push_number(e, fp, i);
        if (!is_double) {
            put_byte(e, W_F64_PROMOTE);
        }
        if (fp->helper->negates & negates[i]) {
            put_byte(e, W_F64_NEG);
        }
        put_set(e, d(e, i));
    }
    d_op(e, W_F64_MUL, A, B);
    put_set(e, d(e, P));
    if (is_double) {
        multiply_add_double(e, fp);
    } else {
        multiply_add_single(e, fp);
    }
    tw_fp_put_status(e, fp, TW_FP_NEAREST);
    tw_fp_put_boxed(e, fp);
    tw_fp_put_not_denormal(e, fp);
}
