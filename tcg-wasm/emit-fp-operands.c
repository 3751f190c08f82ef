/*
 * Operands of floating point, and encodings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp-int.h"

#include <string.h>

#include "emit-regs.h"

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
uint32_t tw_fp_push_pointer(TwEmit *e, unsigned reg, int32_t ofs)
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

/* Operands that are in memory are loaded into locals first. */
static unsigned operand_local(const TwEmit *e, const Fp *fp, unsigned i)
{
    return e->plan->scratch[(tw_fp_is_vector(fp) ? TW_VS1 : TW_S1) + i];
}

/* Push the bits of operand @i as an i64, or the vector that it is. */
void tw_fp_push_bits(TwEmit *e, const Fp *fp, unsigned i)
{
    if (tw_fp_in_memory(fp)) {
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

void tw_fp_put_bits(TwEmit *e, unsigned size)
{
    if (size == DOUBLE) {
        put_byte(e, W_I64_REINTERPRET);
    } else {
        put_byte(e, W_I32_REINTERPRET);
        put_byte(e, W_I64_EXTEND_U);
    }
}

void tw_fp_push_number(TwEmit *e, const Fp *fp, unsigned i)
{
    tw_fp_push_bits(e, fp, i);
    if (!tw_fp_is_vector(fp)) {
        put_number(e, fp->helper->size);
    }
}

void tw_fp_push_numbers(TwEmit *e, const Fp *fp)
{
    for (unsigned i = 0; i < fp->operands; i++) {
        tw_fp_push_number(e, fp, i);
    }
}

void tw_fp_put_vector_mem(TwEmit *e, uint32_t op, uint32_t ofs)
{
    put_simd(e, op);
    put_byte(e, 0);
    put_u32(e, ofs);
}

void tw_fp_put_f64(TwEmit *e, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_byte(e, W_F64_CONST);
    for (int i = 0; i < 8; i++) {
        put_byte(e, bits >> (8 * i) & 0xff);
    }
}

void tw_fp_load_operands(TwEmit *e, const Fp *fp)
{
    for (unsigned i = 0; i < fp->operands && tw_fp_in_memory(fp); i++) {
        uint32_t ofs = tw_fp_push_pointer(e, fp->helper->reg[i], 0);

        if (tw_fp_is_vector(fp)) {
            tw_fp_put_vector_mem(e, W_V128_LOAD, ofs);
        } else {
            put_mem(e, fp->helper->size == DOUBLE ? W_I64_LOAD : W_I64_LOAD32_U,
                    0, ofs);
        }
        put_set(e, operand_local(e, fp, i));
    }
}

void tw_fp_put_lanes(TwEmit *e, const Fp *fp, uint32_t op32)
{
    bool compares = op32 <= W_F32X4_GE;
    uint32_t to_f64 =
        compares ? W_F64X2_EQ - W_F32X4_EQ : W_F64X2_ABS - W_F32X4_ABS;

    put_simd(e, op32 + (fp->helper->size == DOUBLE ? to_f64 : 0));
}
