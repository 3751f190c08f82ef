/*
 * Helpers of the guest's floating point, which compiled code replaces by Wasm
 * instructions where the result is certain to be the same.
 *
 * QEMU computes floating point in software, bit for bit as the guest's CPU, and
 * raises exception flags in a struct float_status. Where no flag can change,
 * the result of IEEE 754's operation is all there is. QEMU's own "hardfloat"
 * (fpu/softfloat.c) knows when: the result is rounded to nearest, the inexact
 * flag is raised already, no operand is denormal, and the result is a normal
 * number, larger than the smallest one. Compiled code tests the same inline,
 * and calls the helper where the test fails; so the helper stays the truth, and
 * tier 0 calls nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_FP_H
#define TW_FP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the helper computes, of operands a, b, c. */
typedef enum TwFpOp {
    TW_FP_ADD,
    TW_FP_SUB,
    TW_FP_MUL,
    TW_FP_DIV,
    TW_FP_SQRT,
    TW_FP_MULTIPLY_ADD, /* a * b + c, rounded once; see @negates */
    TW_FP_MIN, /* of -0 and 0: -0; any result if a NaN is among them */
    TW_FP_MAX,
    TW_FP_LESSER, /* a < b ? a : b, as x86's minsd */
    TW_FP_GREATER, /* a > b ? a : b */
    TW_FP_EQ, /* 0 or 1 */
    TW_FP_LT,
    TW_FP_LE,
    TW_FP_RELATION, /* of TwFpRelation's values */
    TW_FP_RESIZE, /* a 32-bit number to 64 bits, or the other way round */
    TW_FP_FROM_I32,
    TW_FP_FROM_U32,
    TW_FP_FROM_I64,
    TW_FP_FROM_U64,
    /* rounded as the status says; the fast path is for rounding to zero */
    TW_FP_TO_I32,
    TW_FP_TO_U32,
    TW_FP_TO_SIGNED_U32, /* ... sign-extended */
    TW_FP_TO_I64,
    TW_FP_TO_U64,
    TW_FP_TRUNC_I32, /* rounded to zero */
    TW_FP_TRUNC_I64,
    TW_FP_SET_MODE, /* the rounding mode, from a number of RISC-V's */
    TW_FP_SWAP_MODE, /* ... from QEMU's; the result is the mode before */
    TW_NB_FP_OPS,
} TwFpOp;

/* Where operands are, or where the result goes. */
typedef enum TwFpPlace {
    TW_FP_REGS, /* numbers in registers; the result is r0 */
    TW_FP_BOXED, /* the same, with RISC-V's NaN boxing: below 32 ones */
    TW_FP_MEMORY, /* a number in memory; registers have the addresses */
    TW_FP_VECTOR, /* the same of 128 bits of numbers */
} TwFpPlace;

enum { TW_FP_NEGATES_PRODUCT = 1, TW_FP_NEGATES_C = 2 };

/*
 * What a comparison gives, by relation; unordered is the helper's. Offsets are
 * not negative.
 */
typedef struct TwFpRelation {
    uint32_t less, equal, greater;
    int32_t result; /* offset from env of the 64-bit result, or 0: r0 */
    int32_t kind; /* with @result: of 32 bits that become @kind_value, or 0 */
    uint32_t kind_value;
} TwFpRelation;

typedef struct TwFpHelper {
    uintptr_t fn; /* its address, as in word 1 of CALL */
    uint8_t op; /* TwFpOp */
    uint8_t size; /* log2 of a number's bytes: 2 or 3; RESIZE: the operand's */
    uint8_t from, to; /* TwFpPlace */
    uint8_t reg[3]; /* registers of the operands, or of their addresses */
    uint8_t dest; /* register of the result's address */
    /*
     * Register of the address of what the other elements are copied from, up to
     * 128 bits; @dest: they stay as they are.
     */
    uint8_t rest;
    uint8_t shift; /* register that must be 0 for the fast path, or 0 */
    uint8_t status_reg; /* float_status is at its value plus @status */
    uint8_t negates; /* of MULTIPLY_ADD: TW_FP_NEGATES_* */
    bool denormals; /* denormal numbers are like others: no flag tells */
    int32_t status;
    /* SET_MODE: offset from env of the guest's dynamic mode, 64 bits */
    int32_t mode;
    const TwFpRelation *relation;
} TwFpHelper;

/* Helpers, sorted by @fn. */
typedef struct TwFpHelpers {
    const TwFpHelper *list;
    size_t n;
} TwFpHelpers;

/* The helper with the address @fn, or NULL. */
const TwFpHelper *tw_fp_find(const TwFpHelpers *helpers, uintptr_t fn);

/* Its operands: 1 to 3. */
unsigned tw_fp_operands(TwFpOp op);

/*
 * QEMU's struct float_status, as far as compiled code reads it: the first 32
 * bits are the flags, and the rounding mode in bits 16 to 23.
 */
enum {
    TW_FP_INEXACT = 0x10,
    TW_FP_MODE_SHIFT = 16,
    TW_FP_MODE_MASK = 0xff << TW_FP_MODE_SHIFT,
    TW_FP_NEAREST = 0,
    TW_FP_TO_ZERO = 3,
    TW_FP_MODE_BYTE = 2, /* offset of the mode */
};

#endif
