/*
 * Which helpers of the guest's architecture compute what: see lib/fp.h. Each
 * line was compared with the helper's code in target/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "fpu/softfloat-types.h"
#include "lib/bytecode.h"
#include "fp.h"

QEMU_BUILD_BUG_ON(offsetof(float_status, float_exception_flags) != 0);
QEMU_BUILD_BUG_ON(sizeof_field(float_status, float_exception_flags) != 2);
QEMU_BUILD_BUG_ON(offsetof(float_status, float_rounding_mode) !=
                  TW_FP_MODE_BYTE);
QEMU_BUILD_BUG_ON(sizeof_field(float_status, float_rounding_mode) != 1);
QEMU_BUILD_BUG_ON((int)float_flag_inexact != (int)TW_FP_INEXACT);
QEMU_BUILD_BUG_ON((int)float_round_nearest_even != (int)TW_FP_NEAREST);
QEMU_BUILD_BUG_ON((int)float_round_to_zero != (int)TW_FP_TO_ZERO);

enum { SINGLE = 2, DOUBLE = 3 };

#define OF(name) .fn = (uintptr_t)helper_##name

/* clang-format off */

#define HELPER(name, OP, bits, ...) \
    { OF(name), .op = TW_FP_##OP, .size = bits, __VA_ARGS__ }

#if defined(TARGET_RISCV64)

/* r0 is env; flags do not tell whether a number was denormal. */
#define STATUS \
    .status_reg = 0, .status = offsetof(CPURISCVState, fp_status), \
    .denormals = true
#define D(name, OP, ...) \
    HELPER(name, OP, DOUBLE, .reg = { 1, 2, 3 }, STATUS, __VA_ARGS__)
/* 32 bits, boxed: operands and result; operands; the result */
#define S(name, OP, ...) \
    HELPER(name, OP, SINGLE, .from = TW_FP_BOXED, .to = TW_FP_BOXED, \
           .reg = { 1, 2, 3 }, STATUS, __VA_ARGS__)
#define FROM_S(name, OP) \
    HELPER(name, OP, SINGLE, .from = TW_FP_BOXED, .reg = { 1, 2 }, STATUS)
#define TO_S(name, OP, bits) \
    HELPER(name, OP, bits, .to = TW_FP_BOXED, .reg = { 1 }, STATUS)
#define EACH(name, OP) D(name##_d, OP), S(name##_s, OP)
#define EACH_COMPARES(name, OP) D(name##_d, OP), FROM_S(name##_s, OP)
#define EACH_FUSES(name, how) \
    D(name##_d, MULTIPLY_ADD, .negates = how), \
    S(name##_s, MULTIPLY_ADD, .negates = how)
#define EACH_CONVERTS(from, to, OP) \
    TO_S(fcvt_s_##from, FROM_##OP, SINGLE), D(fcvt_d_##from, FROM_##OP), \
    FROM_S(fcvt_##from##_s, TO_##to), D(fcvt_##from##_d, TO_##to)

static TwFpHelper helpers[] = {
    EACH(fadd, ADD), EACH(fsub, SUB), EACH(fmul, MUL), EACH(fdiv, DIV),
    EACH(fsqrt, SQRT), EACH(fmin, MIN), EACH(fmax, MAX),
    EACH_FUSES(fmadd, 0),
    EACH_FUSES(fmsub, TW_FP_NEGATES_C),
    EACH_FUSES(fnmsub, TW_FP_NEGATES_PRODUCT),
    EACH_FUSES(fnmadd, TW_FP_NEGATES_PRODUCT | TW_FP_NEGATES_C),
    EACH_COMPARES(feq, EQ), EACH_COMPARES(flt, LT), EACH_COMPARES(fle, LE),
    EACH_CONVERTS(w, I32, I32), EACH_CONVERTS(wu, SIGNED_U32, U32),
    EACH_CONVERTS(l, I64, I64), EACH_CONVERTS(lu, U64, U64),
    FROM_S(fcvt_d_s, RESIZE), TO_S(fcvt_s_d, RESIZE, DOUBLE),
    HELPER(set_rounding_mode, SET_MODE, 0, .reg = { 1 }, STATUS,
           .mode = offsetof(CPURISCVState, frm)),
};

/* Numbers in integer registers have other boxes. */
static bool has_other_rules(CPUState *cpu)
{
    return RISCV_CPU(cpu)->cfg.ext_zfinx;
}

#elif defined(TARGET_X86_64)

/* r0 is env. The flag DE tells of denormal operands. */
#define STATUS .status_reg = 0, .status = offsetof(CPUX86State, sse_status)
/* (env, d, v, s): d = v op s, of the lowest element; the others are v's */
#define LOWEST(name, OP, bits, ...) \
    HELPER(name, OP, bits, .from = TW_FP_MEMORY, .to = TW_FP_MEMORY, \
           .reg = { __VA_ARGS__ }, .dest = 1, .rest = 2, STATUS)
/* (env, d, ...) of all elements */
#define ALL(name, OP, bits, ...) \
    HELPER(name, OP, bits, .from = TW_FP_VECTOR, .to = TW_FP_VECTOR, \
           .reg = { __VA_ARGS__ }, .dest = 1, .rest = 1, STATUS)
#define EACH(name, OP) \
    LOWEST(name##ss, OP, SINGLE, 2, 3), LOWEST(name##sd, OP, DOUBLE, 2, 3), \
    ALL(name##ps_xmm, OP, SINGLE, 2, 3), ALL(name##pd_xmm, OP, DOUBLE, 2, 3)
/* (env, d, s): flags */
#define COMPARES(name, bits) \
    HELPER(name, RELATION, bits, .from = TW_FP_MEMORY, .reg = { 1, 2 }, \
           STATUS, .relation = &flags)
/* (env, d, integer) */
#define FROM_INTEGER(name, OP, bits) \
    HELPER(name, OP, bits, .to = TW_FP_MEMORY, .reg = { 2 }, .dest = 1, \
           .rest = 1, STATUS)
/* (env, s) */
#define TO_INTEGER(name, OP, bits) \
    HELPER(name, OP, bits, .from = TW_FP_MEMORY, .reg = { 1 }, STATUS)

static const TwFpRelation flags = {
    .less = CC_C,
    .equal = CC_Z,
    .greater = 0,
    .result = offsetof(CPUX86State, cc_src),
    .kind = offsetof(CPUX86State, cc_op),
    .kind_value = CC_OP_EFLAGS,
};

static TwFpHelper helpers[] = {
    EACH(add, ADD), EACH(sub, SUB), EACH(mul, MUL), EACH(div, DIV),
    EACH(min, LESSER), EACH(max, GREATER),
    LOWEST(sqrtss, SQRT, SINGLE, 3), LOWEST(sqrtsd, SQRT, DOUBLE, 3),
    ALL(sqrtps_xmm, SQRT, SINGLE, 2), ALL(sqrtpd_xmm, SQRT, DOUBLE, 2),
    LOWEST(cvtss2sd, RESIZE, SINGLE, 3), LOWEST(cvtsd2ss, RESIZE, DOUBLE, 3),
    COMPARES(ucomiss, SINGLE), COMPARES(comiss, SINGLE),
    COMPARES(ucomisd, DOUBLE), COMPARES(comisd, DOUBLE),
    FROM_INTEGER(cvtsi2ss, FROM_I32, SINGLE),
    FROM_INTEGER(cvtsi2sd, FROM_I32, DOUBLE),
    FROM_INTEGER(cvtsq2ss, FROM_I64, SINGLE),
    FROM_INTEGER(cvtsq2sd, FROM_I64, DOUBLE),
    TO_INTEGER(cvttss2si, TRUNC_I32, SINGLE),
    TO_INTEGER(cvttsd2si, TRUNC_I32, DOUBLE),
    TO_INTEGER(cvttss2sq, TRUNC_I64, SINGLE),
    TO_INTEGER(cvttsd2sq, TRUNC_I64, DOUBLE),
};

static bool has_other_rules(CPUState *cpu)
{
    return false;
}

#elif defined(TARGET_AARCH64)

/* The last argument is the status. */
#define OF1(name, OP, bits) \
    HELPER(vfp_##name, OP, bits, .reg = { 0 }, .status_reg = 1)
#define OF2(name, OP, bits, ...) \
    HELPER(vfp_##name, OP, bits, .reg = { 0, 1 }, .status_reg = 2, __VA_ARGS__)
#define OF3(name, OP, bits) \
    HELPER(vfp_##name, OP, bits, .reg = { 0, 1, 2 }, .status_reg = 3)
#define EACH(name, OP) OF2(name##s, OP, SINGLE), OF2(name##d, OP, DOUBLE)
#define COMPARES(name, bits) OF2(name, RELATION, bits, .relation = &flags)
/* (a, shift, status) */
#define SHIFTS(name, OP, bits) \
    HELPER(vfp_##name, OP, bits, .reg = { 0 }, .shift = 1, .status_reg = 2)
#define EACH_SHIFTS(name, OP) \
    SHIFTS(name##s, OP, SINGLE), SHIFTS(name##d, OP, DOUBLE)

static const TwFpRelation flags = {
    .less = PSTATE_N,
    .equal = PSTATE_Z | PSTATE_C,
    .greater = PSTATE_C,
};

static TwFpHelper helpers[] = {
    EACH(add, ADD), EACH(sub, SUB), EACH(mul, MUL), EACH(div, DIV),
    EACH(min, MIN), EACH(max, MAX), EACH(minnum, MIN), EACH(maxnum, MAX),
    OF3(muladds, MULTIPLY_ADD, SINGLE), OF3(muladdd, MULTIPLY_ADD, DOUBLE),
    OF1(sqrts, SQRT, SINGLE), OF1(sqrtd, SQRT, DOUBLE),
    OF1(fcvtds, RESIZE, SINGLE), OF1(fcvtsd, RESIZE, DOUBLE),
    COMPARES(cmps_a64, SINGLE), COMPARES(cmpes_a64, SINGLE),
    COMPARES(cmpd_a64, DOUBLE), COMPARES(cmped_a64, DOUBLE),
    EACH_SHIFTS(sqto, FROM_I64), EACH_SHIFTS(uqto, FROM_U64),
    EACH_SHIFTS(tosl, TO_I32), EACH_SHIFTS(toul, TO_U32),
    EACH_SHIFTS(tosq, TO_I64), EACH_SHIFTS(touq, TO_U64),
    HELPER(set_rmode, SWAP_MODE, 0, .reg = { 0 }, .status_reg = 1),
};

static bool has_other_rules(CPUState *cpu)
{
    return false;
}

#else

static TwFpHelper helpers[1];

static bool has_other_rules(CPUState *cpu)
{
    return true;
}

#endif
/* clang-format on */

static int compare_helpers(const void *a, const void *b)
{
    const TwFpHelper *x = a, *y = b;

    return x->fn < y->fn ? -1 : x->fn > y->fn;
}

TwFpHelpers tw_fp_helpers(CPUState *cpu)
{
    if (has_other_rules(cpu)) {
        return (TwFpHelpers){ 0 };
    }
    qsort(helpers, ARRAY_SIZE(helpers), sizeof(helpers[0]), compare_helpers);
    return (TwFpHelpers){ helpers, ARRAY_SIZE(helpers) };
}
