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
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-fp.h"

#include "emit-fp-int.h"
#include "emit-regs.h"
#include "emit-slots.h"

enum { MODE_DYNAMIC = 7 }; /* RISC-V's rm field */

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

    if (!tw_fp_is_vector(fp) && !same_address(e, helper->dest, helper->rest)) {
        uint32_t from;

        ofs = tw_fp_push_pointer(e, helper->dest, 0);
        from = tw_fp_push_pointer(e, helper->rest, 0);
        tw_fp_put_vector_mem(e, W_V128_LOAD, from);
        tw_fp_put_vector_mem(e, W_V128_STORE, ofs);
    }
    ofs = tw_fp_push_pointer(e, helper->dest, 0);
    if (tw_fp_is_vector(fp)) {
        put_get(e, e->plan->scratch[TW_VS0]);
        tw_fp_put_vector_mem(e, W_V128_STORE, ofs);
    } else {
        put_get(e, tw_fp_result(e));
        put_mem(e, is_double ? W_I64_STORE : W_I64_STORE32, 0, ofs);
    }
}

static void store_relation(TwEmit *e, const TwFpRelation *relation)
{
    uint32_t ofs = tw_push_env(e, relation->result);

    put_get(e, tw_fp_result(e));
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
        put_get(e, tw_fp_result(e));
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
    tw_fp_load_operands(e, &fp);
    tw_fp_compute(e, &fp);
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
    uint32_t ofs = tw_fp_push_pointer(e, helper->status_reg,
                                      helper->status + TW_FP_MODE_BYTE);

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
    uint32_t ofs = tw_fp_push_pointer(e, helper->status_reg, at);

    put_mem(e, W_I64_LOAD8_U, 0, ofs);
    put_set(e, tw_fp_result(e));
    ofs = tw_fp_push_pointer(e, helper->status_reg, at);
    tw_peek(e, helper->reg[0]);
    put_mem(e, W_I64_STORE8, 0, ofs);
    put_get(e, tw_fp_result(e));
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
