/*
 * Instruction selection: floating point.
 *
 * The result is computed first, as no operation of Wasm's traps here; then what
 * makes it certain is tested at once, with one branch:
 *
 *     S0 = a op b
 *     if (nearest and inexact && a, b not denormal && S0 normal)  S0
 *     else  helper(env, a, b)
 *
 * A test of a or b for infinity or NaN is not needed: the result is neither
 * then only where it would be right, as in a division by infinity, which gives
 * 0 and so is no normal number.
 *
 * Numbers are tested as integers whose sign has been shifted out, with the
 * exponent at the top. 32-bit numbers are the low halves of 64-bit integers,
 * which are shifted by 33.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp.h"

#include <string.h>

#include "emit-regs.h"
#include "emit-slots.h"

enum {
    SINGLE = 2,
    DOUBLE = 3,
    MODE_DYNAMIC = 7, /* RISC-V's rm field */
};

typedef struct Fp {
    const TwFpHelper *helper;
    unsigned operands;
    unsigned conditions; /* pushed so far */
} Fp;

/* Pushing. */

/* Is @reg known to hold env + *@ofs, a sum that is not negative? */
static bool is_in_env(const TwEmit *e, unsigned reg, int64_t *ofs)
{
    if (!(e->known >> reg & 1) || e->values[reg].kind != TW_ENV_PLUS) {
        return false;
    }
    *ofs += e->values[reg].value;
    return *ofs >= 0 && *ofs <= INT32_MAX;
}

/* Push the address that @reg has plus @ofs; returns the offset to add. */
static uint32_t push_pointer(TwEmit *e, unsigned reg, int32_t ofs)
{
    int64_t from_env = ofs;

    if (is_in_env(e, reg, &from_env)) {
        return tw_push_env(e, (int32_t)from_env);
    }
    tw_peek32(e, reg);
    put_i32(e, (uint32_t)ofs);
    put_byte(e, W_I32_ADD);
    return 0;
}

static unsigned result_local(const TwEmit *e)
{
    return e->plan->scratch[TW_S0];
}

static bool is_vector(const Fp *fp)
{
    return fp->helper->from == TW_FP_VECTOR;
}

static bool in_memory(const Fp *fp)
{
    return fp->helper->from == TW_FP_MEMORY || is_vector(fp);
}

/* Operands that are in memory are loaded into locals first. */
static unsigned operand_local(const TwEmit *e, const Fp *fp, unsigned i)
{
    return e->plan->scratch[(is_vector(fp) ? TW_VS1 : TW_S1) + i];
}

/* Push the bits of operand @i as an i64, or the vector that it is. */
static void push_bits(TwEmit *e, const Fp *fp, unsigned i)
{
    if (in_memory(fp)) {
        put_get(e, operand_local(e, fp, i));
    } else {
        tw_peek(e, fp->helper->reg[i]);
    }
}

/* i64 bits to a number, and back. */
static void put_number(TwEmit *e, unsigned size)
{
    if (size == DOUBLE) {
        put_byte(e, W_F64_REINTERPRET);
    } else {
        put_byte(e, W_I32_WRAP);
        put_byte(e, W_F32_REINTERPRET);
    }
}

static void put_bits(TwEmit *e, unsigned size)
{
    if (size == DOUBLE) {
        put_byte(e, W_I64_REINTERPRET);
    } else {
        put_byte(e, W_I32_REINTERPRET);
        put_byte(e, W_I64_EXTEND_U);
    }
}

static void push_number(TwEmit *e, const Fp *fp, unsigned i)
{
    push_bits(e, fp, i);
    if (!is_vector(fp)) {
        put_number(e, fp->helper->size);
    }
}

static void push_numbers(TwEmit *e, const Fp *fp)
{
    for (unsigned i = 0; i < fp->operands; i++) {
        push_number(e, fp, i);
    }
}

static void put_vector_mem(TwEmit *e, uint32_t op, uint32_t ofs)
{
    put_simd(e, op);
    put_byte(e, 0);
    put_u32(e, ofs);
}

static void put_f64(TwEmit *e, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_byte(e, W_F64_CONST);
    for (int i = 0; i < 8; i++) {
        put_byte(e, bits >> (8 * i) & 0xff);
    }
}

static void load_operands(TwEmit *e, const Fp *fp)
{
    for (unsigned i = 0; i < fp->operands && in_memory(fp); i++) {
        uint32_t ofs = push_pointer(e, fp->helper->reg[i], 0);

        if (is_vector(fp)) {
            put_vector_mem(e, W_V128_LOAD, ofs);
        } else {
            put_mem(e, fp->helper->size == DOUBLE ? W_I64_LOAD : W_I64_LOAD32_U,
                    0, ofs);
        }
        put_set(e, operand_local(e, fp, i));
    }
}

/* Conditions: each pushes an i32, and joins it with those before. */

static void join(TwEmit *e, Fp *fp)
{
    if (fp->conditions++) {
        put_byte(e, W_I32_AND);
    }
}

static void put_masked_status(TwEmit *e, Fp *fp, uint32_t mask, uint32_t value)
{
    uint32_t ofs = push_pointer(e, fp->helper->status_reg, fp->helper->status);

    put_mem(e, W_I32_LOAD, 0, ofs);
    put_i32(e, mask);
    put_byte(e, W_I32_AND);
    put_i32(e, value);
    put_byte(e, W_I32_EQ);
    join(e, fp);
}

/* The rounding mode is @mode, and the inexact flag is raised. */
static void put_status(TwEmit *e, Fp *fp, uint32_t mode)
{
    put_masked_status(e, fp, TW_FP_MODE_MASK | TW_FP_INEXACT,
                      mode << TW_FP_MODE_SHIFT | TW_FP_INEXACT);
}

/* The inexact flag is raised. */
static void put_inexact(TwEmit *e, Fp *fp)
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

static void put_shift(TwEmit *e, unsigned size)
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

/* A SIMD comparison or operation on f32x4, or its namesake on f64x2. */
static void put_lanes(TwEmit *e, const Fp *fp, uint32_t op32)
{
    bool compares = op32 <= W_F32X4_GE;
    uint32_t to_f64 =
        compares ? W_F64X2_EQ - W_F32X4_EQ : W_F64X2_ABS - W_F32X4_ABS;

    put_simd(e, op32 + (fp->helper->size == DOUBLE ? to_f64 : 0));
}

static void not_denormal_lanes(TwEmit *e, Fp *fp, unsigned i)
{
    unsigned size = fp->helper->size;

    push_bits(e, fp, i);
    put_lanes(e, fp, W_F32X4_ABS);
    put_splat(e, size, min_bits(size));
    put_lanes(e, fp, W_F32X4_GE);
    push_bits(e, fp, i);
    put_splat(e, size, 0);
    put_lanes(e, fp, W_F32X4_EQ);
    put_simd(e, W_V128_OR);
    put_all_true(e);
    join(e, fp);
}

/* No operand is denormal, if flags know. Zero is not denormal. */
static void put_not_denormal(TwEmit *e, Fp *fp)
{
    unsigned size = fp->helper->size;

    if (fp->helper->denormals) {
        return;
    }
    for (unsigned i = 0; i < fp->operands; i++) {
        if (is_vector(fp)) {
            not_denormal_lanes(e, fp, i);
            continue;
        }
        push_bits(e, fp, i);
        put_shift(e, size);
        put_i64(e, 1);
        put_byte(e, W_I64_SUB);
        put_i64(e, (int64_t)(shifted_min(size) - 1));
        put_byte(e, W_I64_GE_U);
        join(e, fp);
    }
}

/* Of numbers in 64 bits: these are boxed. */
static void put_boxed(TwEmit *e, Fp *fp)
{
    if (fp->helper->from != TW_FP_BOXED) {
        return;
    }
    push_bits(e, fp, 0);
    for (unsigned i = 1; i < fp->operands; i++) {
        push_bits(e, fp, i);
        put_byte(e, W_I64_AND);
    }
    put_i64(e, (int64_t)(UINT64_MAX << 32));
    put_byte(e, W_I64_GE_U);
    join(e, fp);
}

/* No operand is a NaN. */
static void put_ordered(TwEmit *e, Fp *fp)
{
    for (unsigned i = 0; i < fp->operands; i++) {
        push_number(e, fp, i);
        push_number(e, fp, i);
        if (is_vector(fp)) {
            put_lanes(e, fp, W_F32X4_EQ);
            put_all_true(e);
        } else {
            put_byte(e, fp->helper->size == DOUBLE ? W_F64_EQ : W_F32_EQ);
        }
        join(e, fp);
    }
}

/* The result in VS0 is larger than the smallest normal number, and finite. */
static void normal_lanes(TwEmit *e, Fp *fp)
{
    unsigned size = fp->helper->size;
    unsigned absolute = e->plan->scratch[TW_VS1]; /* no operand any more */

    put_get(e, e->plan->scratch[TW_VS0]);
    put_lanes(e, fp, W_F32X4_ABS);
    put_tee(e, absolute);
    put_splat(e, size, min_bits(size));
    put_lanes(e, fp, W_F32X4_GT);
    put_get(e, absolute);
    put_splat(e, size, infinity_bits(size));
    put_lanes(e, fp, W_F32X4_LT);
    put_simd(e, W_V128_AND);
    put_all_true(e);
    join(e, fp);
}

/* The same of the number in S0, which has @size. */
static void put_normal(TwEmit *e, Fp *fp, unsigned size)
{
    uint64_t least =
        shifted_min(size) + (size == DOUBLE ? 2 : UINT64_C(1) << 33);

    if (is_vector(fp)) {
        normal_lanes(e, fp);
        return;
    }
    put_get(e, result_local(e));
    put_shift(e, size);
    put_i64(e, (int64_t)least);
    put_byte(e, W_I64_SUB);
    put_i64(e, (int64_t)(shifted_infinity(size) - least));
    put_byte(e, W_I64_LT_U);
    join(e, fp);
}

static void put_finite(TwEmit *e, Fp *fp, unsigned size)
{
    put_get(e, result_local(e));
    put_shift(e, size);
    put_i64(e, (int64_t)shifted_infinity(size));
    put_byte(e, W_I64_LT_U);
    join(e, fp);
}

/* |a| < @limit */
static void put_below(TwEmit *e, Fp *fp, double limit)
{
    push_number(e, fp, 0);
    if (fp->helper->size == SINGLE) {
        put_byte(e, W_F64_PROMOTE);
    }
    put_byte(e, W_F64_ABS);
    put_f64(e, limit);
    put_byte(e, W_F64_LT);
    join(e, fp);
}

/* a >= 0 */
static void put_not_negative(TwEmit *e, Fp *fp)
{
    push_bits(e, fp, 0);
    put_i64(e, fp->helper->size == DOUBLE ? 63 : 31);
    put_byte(e, W_I64_SHR_U);
    put_byte(e, W_I32_WRAP);
    put_i32(e, 1);
    put_byte(e, W_I32_AND);
    put_byte(e, W_I32_EQZ);
    join(e, fp);
}

/* Results: each leaves bits in S0 or a vector in VS0, and pushes conditions. */

static void set_result(TwEmit *e)
{
    put_set(e, result_local(e));
}

static void compute(TwEmit *e, const Fp *fp, unsigned op32, uint32_t lanes32)
{
    bool is_double = fp->helper->size == DOUBLE;

    push_numbers(e, fp);
    if (is_vector(fp)) {
        put_lanes(e, fp, lanes32);
        put_set(e, e->plan->scratch[TW_VS0]);
    } else {
        put_byte(e, op32 + (is_double ? W_F64_ABS - W_F32_ABS : 0));
        put_bits(e, fp->helper->size);
        set_result(e);
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
    put_status(e, fp, TW_FP_NEAREST);
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    if (exact_if_small && fp->helper->denormals && !is_vector(fp)) {
        put_finite(e, fp, fp->helper->size);
    } else {
        put_normal(e, fp, fp->helper->size);
    }
}

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
 */

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
    put_f64(e, 0x1p27 + 1);
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
    put_f64(e, factor);
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
    set_result(e);
    rounded(e, 1 + 0x1p-52);
    rounded(e, 1 - 0x1p-52);
    put_byte(e, W_F64_EQ);
    is_exact(e);
    put_byte(e, W_I32_OR);
    join(e, fp);
    put_get(e, d(e, P));
    put_byte(e, W_I64_REINTERPRET);
    put_shift(e, DOUBLE);
    put_i64(e, (int64_t)least);
    put_byte(e, W_I64_GE_U);
    join(e, fp);
    put_finite(e, fp, DOUBLE);
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
    put_bits(e, SINGLE);
    set_result(e);
    put_get(e, d(e, S));
    put_byte(e, W_I64_REINTERPRET);
    put_byte(e, W_I32_WRAP);
    put_i32(e, 2 * middle - 1);
    put_byte(e, W_I32_AND);
    put_i32(e, middle);
    put_byte(e, W_I32_NE);
    join(e, fp);
    put_normal(e, fp, SINGLE);
}

static void multiply_add(TwEmit *e, Fp *fp)
{
    static const uint8_t negates[] = { TW_FP_NEGATES_PRODUCT, 0,
                                       TW_FP_NEGATES_C };
    bool is_double = fp->helper->size == DOUBLE;

    for (unsigned i = A; i <= C; i++) {
        push_number(e, fp, i);
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
    put_status(e, fp, TW_FP_NEAREST);
    put_boxed(e, fp);
    put_not_denormal(e, fp);
}

static void extreme(TwEmit *e, Fp *fp)
{
    bool lowest = fp->helper->op == TW_FP_MIN;

    compute(e, fp, lowest ? W_F32_MIN : W_F32_MAX, 0);
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    put_ordered(e, fp);
}

/* a < b ? a : b; of lanes, pmin(b, a). */
static void choice(TwEmit *e, Fp *fp)
{
    bool lesser = fp->helper->op == TW_FP_LESSER;
    bool is_double = fp->helper->size == DOUBLE;

    if (is_vector(fp)) {
        push_bits(e, fp, 1);
        push_bits(e, fp, 0);
        put_lanes(e, fp, lesser ? W_F32X4_PMIN : W_F32X4_PMAX);
        put_set(e, e->plan->scratch[TW_VS0]);
    } else {
        push_bits(e, fp, 0);
        push_bits(e, fp, 1);
        push_numbers(e, fp);
        put_byte(e, lesser ? (is_double ? W_F64_LT : W_F32_LT)
                           : (is_double ? W_F64_GT : W_F32_GT));
        put_byte(e, W_SELECT);
        if (fp->helper->size == SINGLE && !in_memory(fp)) {
            put_byte(e, W_I32_WRAP); /* the register may hold more */
            put_byte(e, W_I64_EXTEND_U);
        }
        set_result(e);
    }
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    put_ordered(e, fp);
}

static void comparison(TwEmit *e, Fp *fp)
{
    static const uint8_t ops32[] = {
        [TW_FP_EQ] = W_F32_EQ,
        [TW_FP_LT] = W_F32_LT,
        [TW_FP_LE] = W_F32_LE,
    };
    bool is_double = fp->helper->size == DOUBLE;

    push_numbers(e, fp);
    put_byte(e, ops32[fp->helper->op] + (is_double ? W_F64_EQ - W_F32_EQ : 0));
    put_byte(e, W_I64_EXTEND_U);
    set_result(e);
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    put_ordered(e, fp);
}

static void relation(TwEmit *e, Fp *fp)
{
    const TwFpRelation *values = fp->helper->relation;
    bool is_double = fp->helper->size == DOUBLE;

    put_i64(e, values->less);
    put_i64(e, values->equal);
    put_i64(e, values->greater);
    push_numbers(e, fp);
    put_byte(e, is_double ? W_F64_EQ : W_F32_EQ);
    put_byte(e, W_SELECT);
    push_numbers(e, fp);
    put_byte(e, is_double ? W_F64_LT : W_F32_LT);
    put_byte(e, W_SELECT);
    set_result(e);
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    put_ordered(e, fp);
}

static void resize(TwEmit *e, Fp *fp)
{
    push_numbers(e, fp);
    if (fp->helper->size == SINGLE) {
        put_byte(e, W_F64_PROMOTE);
        put_bits(e, DOUBLE);
        set_result(e);
        put_boxed(e, fp);
        put_not_denormal(e, fp);
        put_finite(e, fp, DOUBLE);
    } else {
        put_byte(e, W_F32_DEMOTE);
        put_bits(e, SINGLE);
        set_result(e);
        put_status(e, fp, TW_FP_NEAREST);
        put_not_denormal(e, fp);
        put_normal(e, fp, SINGLE);
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
    put_bits(e, fp->helper->size);
    set_result(e);
    if (from_i64 || !is_double) {
        put_status(e, fp, TW_FP_NEAREST);
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

    push_numbers(e, fp);
    put_byte(e, W_PREFIX_MISC);
    put_u32(e, kinds[op].sat32 + (fp->helper->size == DOUBLE ? 2 : 0));
    if (kinds[op].bits == 32) {
        put_byte(e, sign_extends ? W_I64_EXTEND_S : W_I64_EXTEND_U);
    }
    set_result(e);
    if (kinds[op].reads_mode) {
        put_status(e, fp, TW_FP_TO_ZERO);
    } else {
        put_inexact(e, fp);
    }
    put_boxed(e, fp);
    put_not_denormal(e, fp);
    if (!kinds[op].is_signed) {
        put_not_negative(e, fp);
    }
    put_below(e, fp,
              high == 31   ? 0x1p31
              : high == 32 ? 0x1p32
              : high == 63 ? 0x1p63
                           : 0x1p64);
}

/* Where the result goes. */

/* Do both registers certainly have the same address? */
static bool same_address(const TwEmit *e, unsigned a, unsigned b)
{
    return a == b || ((e->known >> a & e->known >> b & 1) &&
                      e->values[a].kind == e->values[b].kind &&
                      e->values[a].value == e->values[b].value);
}

static void store_result(TwEmit *e, const Fp *fp)
{
    const TwFpHelper *helper = fp->helper;
    bool is_double = (helper->size == DOUBLE) != (helper->op == TW_FP_RESIZE);
    uint32_t ofs;

    if (!is_vector(fp) && !same_address(e, helper->dest, helper->rest)) {
        uint32_t from;

        ofs = push_pointer(e, helper->dest, 0);
        from = push_pointer(e, helper->rest, 0);
        put_vector_mem(e, W_V128_LOAD, from);
        put_vector_mem(e, W_V128_STORE, ofs);
    }
    ofs = push_pointer(e, helper->dest, 0);
    if (is_vector(fp)) {
        put_get(e, e->plan->scratch[TW_VS0]);
        put_vector_mem(e, W_V128_STORE, ofs);
    } else {
        put_get(e, result_local(e));
        put_mem(e, is_double ? W_I64_STORE : W_I64_STORE32, 0, ofs);
    }
}

static void store_relation(TwEmit *e, const TwFpRelation *relation)
{
    uint32_t ofs = tw_push_env(e, relation->result);

    put_get(e, result_local(e));
    put_mem(e, W_I64_STORE, 0, ofs);
    if (relation->kind) {
        ofs = tw_push_env(e, relation->kind);
        put_i32(e, relation->kind_value);
        put_mem(e, W_I32_STORE, 0, ofs);
    }
}

static bool result_in_memory(const TwFpHelper *helper)
{
    return helper->relation
               ? helper->relation->result != 0
               : helper->to == TW_FP_MEMORY || helper->to == TW_FP_VECTOR;
}

static void put_result(TwEmit *e, const Fp *fp)
{
    if (!result_in_memory(fp->helper)) {
        put_get(e, result_local(e));
        if (fp->helper->to == TW_FP_BOXED) {
            put_i64(e, (int64_t)(UINT64_MAX << 32));
            put_byte(e, W_I64_OR);
        }
    } else if (fp->helper->relation) {
        store_relation(e, fp->helper->relation);
    } else {
        store_result(e, fp);
    }
}

/* The helper itself. Leaves its result, if any, as an i64. */
static void put_helper(TwEmit *e)
{
    TwSig sig = (TwSig)e->insn.imm;

    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        if (tw_sig_arg_is64(sig, i)) {
            tw_peek(e, i);
        } else {
            tw_peek32(e, i);
        }
    }
    put_call(e, (uint32_t)e->plan->code[e->at + 1],
             tw_type_index(e->types, sig));
    if (tw_sig_ret(sig) == TW_SIG_I32) {
        put_byte(e, W_I64_EXTEND_U);
    }
}

static void number(TwEmit *e, Fp *fp)
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
        multiply_add(e, fp);
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

/* Slots that the comparison's result overwrites in env. */
static void touch_stored(TwEmit *e)
{
    TwEnvAccess accesses[2];
    unsigned n =
        tw_fp_stores(e->group->target, &e->plan->code[e->at], accesses);

    for (unsigned i = 0; i < n && e->plan->nslots; i++) {
        tw_slots_touch(e, &accesses[i]);
    }
}

static void emit_number(TwEmit *e, const TwFpHelper *helper)
{
    Fp fp = { .helper = helper, .operands = tw_fp_operands(helper->op) };
    bool stores = result_in_memory(helper);
    int64_t shift;

    if (helper->shift &&
        !(tw_is_const(e, helper->shift, &shift) && shift == 0)) {
        put_helper(e);
        tw_write(e, 0);
        return;
    }
    load_operands(e, &fp);
    number(e, &fp);
    touch_stored(e);
    if (fp.conditions) {
        put_if(e, stores ? W_TYPE_VOID : W_TYPE_I64);
        e->in_arm = true;
        put_result(e, &fp);
        put_byte(e, W_ELSE);
        put_helper(e);
        put_byte(e, W_END);
        e->in_arm = false;
    } else {
        put_result(e, &fp);
    }
    if (!stores) {
        tw_write(e, 0);
    }
}

/* The rounding mode. */

static void store_mode(TwEmit *e, const TwFpHelper *helper, unsigned mode)
{
    uint32_t ofs =
        push_pointer(e, helper->status_reg, helper->status + TW_FP_MODE_BYTE);

    put_i64(e, mode);
    put_mem(e, W_I64_STORE8, 0, ofs);
}

/* The helper that sets the mode raises an exception for what is no mode. */
static void put_mode_helper(TwEmit *e)
{
    tw_slots_save_all(e);
    put_get(e, LOCAL_FRAME);
    put_i32(e, tw_address(e, e->at));
    put_mem(e, W_I32_STORE, 2, FRAME_RET_PC);
    put_helper(e);
}

/* RISC-V's modes as QEMU's. The dynamic mode is to nearest, most often. */
static void emit_set_mode(TwEmit *e, const TwFpHelper *helper)
{
    static const uint8_t modes[] = { TW_FP_NEAREST, TW_FP_TO_ZERO, 1, 2, 4 };
    int64_t mode;
    uint32_t ofs;

    if (!tw_is_const(e, helper->reg[0], &mode)) {
        put_mode_helper(e);
    } else if (mode >= 0 && mode < (int64_t)sizeof(modes)) {
        store_mode(e, helper, modes[mode]);
    } else if (mode == MODE_DYNAMIC) {
        ofs = tw_push_env(e, helper->mode);
        put_mem(e, W_I64_LOAD, 0, ofs);
        put_byte(e, W_I64_EQZ);
        put_if(e, W_TYPE_VOID);
        e->in_arm = true;
        store_mode(e, helper, TW_FP_NEAREST);
        put_byte(e, W_ELSE);
        put_mode_helper(e);
        put_byte(e, W_END);
        e->in_arm = false;
    } else {
        put_mode_helper(e);
    }
}

static void emit_swap_mode(TwEmit *e, const TwFpHelper *helper)
{
    int32_t at = helper->status + TW_FP_MODE_BYTE;
    uint32_t ofs = push_pointer(e, helper->status_reg, at);

    put_mem(e, W_I64_LOAD8_U, 0, ofs);
    put_set(e, result_local(e));
    ofs = push_pointer(e, helper->status_reg, at);
    tw_peek(e, helper->reg[0]);
    put_mem(e, W_I64_STORE8, 0, ofs);
    put_get(e, result_local(e));
    tw_write(e, 0);
}

/* Does the call take the result as the helper gives it? */
static bool fits(TwInsn call, const TwFpHelper *helper)
{
    bool stores = helper->op == TW_FP_SET_MODE || result_in_memory(helper);

    return (tw_sig_ret((TwSig)call.imm) == TW_SIG_VOID) == stores &&
           !(call.c & TW_CALL_NO_RETURN);
}

bool tw_emit_fp(TwEmit *e)
{
    const TwFpHelper *helper;

    if (e->insn.op != TW_OP_CALL) {
        return false;
    }
    helper =
        tw_fp_find(&e->group->target->fp, (uintptr_t)e->plan->code[e->at + 1]);
    if (!helper || !fits(e->insn, helper)) {
        return false;
    }
    if (helper->op == TW_FP_SET_MODE) {
        emit_set_mode(e, helper);
    } else if (helper->op == TW_FP_SWAP_MODE) {
        emit_swap_mode(e, helper);
    } else {
        emit_number(e, helper);
    }
    return true;
}
