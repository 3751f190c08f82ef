/*
 * The model computes as C does, which is IEEE 754 rounded to nearest, natively
 * and in Wasm; but it decides by the numbers' values, where compiled code looks
 * at bits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fp-model.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static_assert(FLT_EVAL_METHOD == 0, "float is rounded to float");

typedef struct Model {
    const TwFpHelper *helper;
    TwFpOp op;
    bool is_single;
    double a, b, c; /* 32-bit numbers as well: these are exact */
    uint32_t status;
} Model;

/* Numbers and bits. */

static double number(uint64_t bits, bool is_single)
{
    uint32_t low = (uint32_t)bits;
    double wide;
    float narrow;

    memcpy(&wide, &bits, sizeof(wide));
    memcpy(&narrow, &low, sizeof(narrow));
    return is_single ? (double)narrow : wide;
}

/* All NaNs are one: which one an operation gives is up to the host. */
static uint64_t bits_of(double value, bool is_single)
{
    float narrow = (float)value;
    uint32_t low;
    uint64_t bits;

    if (isnan(value)) {
        return is_single ? 0x7fc00000 : UINT64_C(0x7ff8000000000000);
    }
    memcpy(&bits, &value, sizeof(bits));
    memcpy(&low, &narrow, sizeof(low));
    return is_single ? low : bits;
}

static double smallest_normal(bool is_single)
{
    return is_single ? (double)FLT_MIN : DBL_MIN;
}

unsigned fp_result_size(const TwFpHelper *helper)
{
    return helper->op == TW_FP_RESIZE ? FP_SINGLE + FP_DOUBLE - helper->size
                                      : helper->size;
}

/* The state. */

static bool has_mode(const Model *m, uint32_t mode)
{
    return (m->status & TW_FP_MODE_MASK) == mode << TW_FP_MODE_SHIFT;
}

/* Nothing that is rounded so changes the flags. */
static bool rounds(const Model *m, uint32_t mode)
{
    return has_mode(m, mode) && (m->status & TW_FP_INEXACT);
}

/* The operands. */

static bool is_integer(TwFpOp op)
{
    return op >= TW_FP_FROM_I32 && op <= TW_FP_FROM_U64;
}

static bool is_denormal(const Model *m, double value)
{
    return value != 0.0 && fabs(value) < smallest_normal(m->is_single);
}

static bool operands_are_plain(const Model *m, const uint64_t *operands)
{
    const double values[] = { m->a, m->b, m->c };

    for (unsigned i = 0; i < tw_fp_operands(m->op); i++) {
        if (m->helper->from == TW_FP_BOXED && operands[i] >> 32 != UINT32_MAX) {
            return false;
        }
        if (!m->helper->denormals && is_denormal(m, values[i])) {
            return false;
        }
    }
    return true;
}

static bool is_ordered(const Model *m)
{
    return !isnan(m->a) && !isnan(m->b);
}

/* Arithmetic. */

static float arithmetic32(TwFpOp op, float a, float b, float c)
{
    switch (op) {
    case TW_FP_ADD:
        return a + b;
    case TW_FP_SUB:
        return a - b;
    case TW_FP_MUL:
        return a * b;
    case TW_FP_DIV:
        return a / b;
    case TW_FP_SQRT:
        return sqrtf(a);
    default:
        return fmaf(a, b, c);
    }
}

static double arithmetic64(TwFpOp op, double a, double b, double c)
{
    switch (op) {
    case TW_FP_ADD:
        return a + b;
    case TW_FP_SUB:
        return a - b;
    case TW_FP_MUL:
        return a * b;
    case TW_FP_DIV:
        return a / b;
    case TW_FP_SQRT:
        return sqrt(a);
    default:
        return fma(a, b, c);
    }
}

/* Is a * b + c, which was rounded to 0, 0? */
static bool sum_is_zero(const Model *m)
{
    if (m->a == 0.0 || m->b == 0.0) {
        return m->c == 0.0;
    }
    /* Products of 32-bit numbers are exact; others if they are not small. */
    return m->a * m->b == -m->c &&
           (m->is_single || fabs(m->a * m->b) > 0x1p-900);
}

/* Is the result exact, which is not larger than the smallest normal number? */
static bool small_is_exact(const Model *m, double result)
{
    if (result != 0.0 && !m->helper->denormals) {
        return false;
    }
    switch (m->op) {
    case TW_FP_ADD:
    case TW_FP_SUB:
        return true;
    case TW_FP_MUL:
        return m->a == 0.0 || m->b == 0.0;
    case TW_FP_DIV:
        return m->a == 0.0 || isinf(m->b);
    case TW_FP_SQRT:
        return m->a == 0.0;
    case TW_FP_RESIZE:
        return result == m->a;
    default:
        return result == 0.0 && sum_is_zero(m);
    }
}

static FpResult rounded(const Model *m, double result, bool is_single)
{
    bool is_small = fabs(result) <= smallest_normal(is_single);

    return (FpResult){
        .bits = bits_of(result, is_single),
        .certain = rounds(m, TW_FP_NEAREST) && isfinite(result) &&
                   (!is_small || small_is_exact(m, result)),
    };
}

static FpResult arithmetic(const Model *m)
{
    double result =
        m->is_single
            ? (double)arithmetic32(m->op, (float)m->a, (float)m->b, (float)m->c)
            : arithmetic64(m->op, m->a, m->b, m->c);

    return rounded(m, result, m->is_single);
}

static FpResult multiply_add(const Model *m)
{
    Model negated = *m;

    if (m->helper->negates & TW_FP_NEGATES_PRODUCT) {
        negated.a = -m->a;
    }
    if (m->helper->negates & TW_FP_NEGATES_C) {
        negated.c = -m->c;
    }
    return arithmetic(&negated);
}

/* Comparisons. */

static bool takes_first(const Model *m)
{
    double a = m->a, b = m->b;

    switch (m->op) {
    case TW_FP_MIN:
        return a < b || (a == b && signbit(a));
    case TW_FP_MAX:
        return a > b || (a == b && !signbit(a));
    case TW_FP_LESSER:
        return a < b;
    default:
        return a > b;
    }
}

static FpResult choice(const Model *m)
{
    return (FpResult){
        .bits = bits_of(takes_first(m) ? m->a : m->b, m->is_single),
        .certain = is_ordered(m),
    };
}

static FpResult comparison(const Model *m)
{
    const TwFpRelation *values = m->helper->relation;
    FpResult result = { .certain = is_ordered(m) };

    switch (m->op) {
    case TW_FP_EQ:
        result.bits = m->a == m->b;
        break;
    case TW_FP_LT:
        result.bits = m->a < m->b;
        break;
    case TW_FP_LE:
        result.bits = m->a <= m->b;
        break;
    default:
        result.bits = m->a < m->b   ? values->less
                      : m->a > m->b ? values->greater
                                    : values->equal;
        break;
    }
    return result;
}

/* Conversions. */

static FpResult resize(const Model *m)
{
    if (!m->is_single) {
        return rounded(m, (double)(float)m->a, true);
    }
    return (FpResult){
        .bits = bits_of(m->a, false),
        .certain = !isnan(m->a),
    };
}

static double from_integer(TwFpOp op, uint64_t value, bool is_single)
{
    switch (op) {
    case TW_FP_FROM_I32:
        return is_single ? (double)(float)(int32_t)value
                         : (double)(int32_t)value;
    case TW_FP_FROM_U32:
        return is_single ? (double)(float)(uint32_t)value
                         : (double)(uint32_t)value;
    case TW_FP_FROM_I64:
        return is_single ? (double)(float)(int64_t)value
                         : (double)(int64_t)value;
    default:
        return is_single ? (double)(float)value : (double)value;
    }
}

static FpResult converted(const Model *m, uint64_t value)
{
    bool is_exact =
        !m->is_single && (m->op == TW_FP_FROM_I32 || m->op == TW_FP_FROM_U32);

    return (FpResult){
        .bits = bits_of(from_integer(m->op, value, m->is_single), m->is_single),
        .certain = is_exact || rounds(m, TW_FP_NEAREST),
    };
}

/* @value, if it is in [@low, @high): the number of which @certain is said. */
static FpResult within(double value, double low, double high, bool certain)
{
    FpResult result = { .certain = certain && value >= low && value < high };

    if (result.certain) {
        result.bits = low == 0.0 ? (uint64_t)value : (uint64_t)(int64_t)value;
    }
    return result;
}

static FpResult to_integer(const Model *m)
{
    double value = trunc(m->a);
    bool truncates = m->op == TW_FP_TRUNC_I32 || m->op == TW_FP_TRUNC_I64;
    bool certain =
        truncates ? (m->status & TW_FP_INEXACT) != 0 : rounds(m, TW_FP_TO_ZERO);
    FpResult result;

    switch (m->op) {
    case TW_FP_TO_U32:
        return within(value, 0, 0x1p32, certain);
    case TW_FP_TO_SIGNED_U32:
        result = within(value, 0, 0x1p32, certain);
        result.bits = (uint64_t)(int32_t)(uint32_t)result.bits;
        return result;
    case TW_FP_TO_U64:
        return within(value, 0, 0x1p64, certain);
    case TW_FP_TO_I64:
    case TW_FP_TRUNC_I64:
        return within(value, -0x1p63, 0x1p63, certain);
    default:
        return within(value, -0x1p31, 0x1p31, certain);
    }
}

static FpResult operation(const Model *m, const uint64_t *operands)
{
    switch (m->op) {
    case TW_FP_MULTIPLY_ADD:
        return multiply_add(m);
    case TW_FP_ADD:
    case TW_FP_SUB:
    case TW_FP_MUL:
    case TW_FP_DIV:
    case TW_FP_SQRT:
        return arithmetic(m);
    case TW_FP_MIN:
    case TW_FP_MAX:
    case TW_FP_LESSER:
    case TW_FP_GREATER:
        return choice(m);
    case TW_FP_EQ:
    case TW_FP_LT:
    case TW_FP_LE:
    case TW_FP_RELATION:
        return comparison(m);
    case TW_FP_RESIZE:
        return resize(m);
    case TW_FP_FROM_I32:
    case TW_FP_FROM_U32:
    case TW_FP_FROM_I64:
    case TW_FP_FROM_U64:
        return converted(m, operands[0]);
    default:
        return to_integer(m);
    }
}

FpResult fp_model(const TwFpHelper *helper, const uint64_t operands[3],
                  uint32_t status)
{
    bool is_single = helper->size == FP_SINGLE;
    Model m = {
        .helper = helper,
        .op = (TwFpOp)helper->op,
        .is_single = is_single,
        .a = number(operands[0], is_single),
        .b = number(operands[1], is_single),
        .c = number(operands[2], is_single),
        .status = status,
    };
    FpResult result = operation(&m, operands);

    if (!is_integer(m.op) && !operands_are_plain(&m, operands)) {
        result.certain = false;
    }
    return result;
}
