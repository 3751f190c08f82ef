/*
 * Calls of helpers of floating point, and what they need around them: operands
 * in registers, addresses of operands and of the status, the status itself.
 *
 * What a register holds is sometimes known to the emitter and sometimes not;
 * and any of them may be set by the instruction before the call.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gen-int.h"

#include "fp-model.h"
#include "fp-numbers.h"
#include "world-fp.h"

typedef struct FpCall {
    const TwFpHelper *helper;
    unsigned group; /* of numbers, from which the operands are */
    unsigned status; /* which of env.fp.status */
    int32_t dest; /* offset from env */
} FpCall;

/* The status. */

static void set_mode(Gen *g, unsigned status, int mode)
{
    gen_put(g,
            (TwInsn){
                .op = TW_OP_STEI8,
                .rel = (int16_t)mode,
                .imm = ENV(fp.status) + 4 * (int32_t)status + TW_FP_MODE_BYTE,
            });
}

static void set_flags(Gen *g, unsigned status)
{
    uint32_t flags = rng_below(g->rng, 64);

    flags = rng_percent(g->rng, 80) ? flags | TW_FP_INEXACT
                                    : flags & ~(uint32_t)TW_FP_INEXACT;
    gen_put(g, (TwInsn){
                   .op = TW_OP_STEI16,
                   .rel = (int16_t)flags,
                   .imm = ENV(fp.status) + 4 * (int32_t)status,
               });
}

static bool wants_zero(TwFpOp op)
{
    return op >= TW_FP_TO_I32 && op <= TW_FP_TO_U64;
}

/* Mostly the one in which there is a fast path. */
static void item_status(Gen *g, const FpCall *call)
{
    int mode =
        wants_zero((TwFpOp)call->helper->op) ? TW_FP_TO_ZERO : TW_FP_NEAREST;

    if (rng_percent(g->rng, 12)) {
        mode = (int)rng_below(g->rng, 6);
    }
    set_mode(g, call->status, mode);
    if (rng_percent(g->rng, 50)) {
        set_flags(g, call->status);
    }
}

/* Addresses. */

/* @reg = env + @ofs */
static void put_address(Gen *g, unsigned reg, int32_t ofs)
{
    switch (rng_below(g->rng, 4)) {
    case 0:
        gen_ins(g, TW_OP_LDE64, reg, 0, 0, ENV(fp.env));
        if (ofs) {
            gen_ins(g, TW_OP_ADDI, reg, reg, 0, ofs);
        }
        break;
    case 1:
        if (ofs == 0) {
            gen_ins(g, TW_OP_MOV, reg, TW_REG_ENV, 0, 0);
            break;
        }
        /* fallthrough */
    default:
        gen_ins(g, TW_OP_ADDI, reg, TW_REG_ENV, 0, ofs);
        break;
    }
}

/* One of few places, so that results are operands of others. */
static int32_t vector_ofs(Gen *g)
{
    return rng_percent(g->rng, 5)
               ? WORLD_FP_BELOW_OFS
               : ENV(fp.vecs) + 16 * (int32_t)rng_below(g->rng, WORLD_FP_VECS);
}

/* Operand @i of a pair of vectors with elements of the helper's size. */
static int32_t pair_ofs(const FpCall *call, unsigned i)
{
    unsigned first = call->helper->size == FP_SINGLE ? 2 : 0;

    return ENV(fp.vecs) + 16 * (int32_t)(first + call->group % 2 * 4 + i);
}

static int32_t number_ofs(const FpCall *call, unsigned i)
{
    int32_t first =
        call->helper->size == FP_DOUBLE ? ENV(fp.doubles) : ENV(fp.singles);

    return first + 8 * (int32_t)(3 * call->group + i);
}

static void put_source(Gen *g, const FpCall *call, unsigned reg, unsigned i)
{
    unsigned kind = rng_below(g->rng, 20);

    if (call->helper->from == TW_FP_VECTOR) {
        put_address(g, reg,
                    kind < 3   ? call->dest
                    : kind < 7 ? vector_ofs(g)
                               : pair_ofs(call, i));
    } else if (kind < 2) {
        gen_ins(g, TW_OP_ADDI, reg, TW_REG_FRAME, 0, GEN_FRAME_OFS);
    } else if (kind == 2) {
        put_address(g, reg, call->dest);
    } else if (kind < 6) {
        put_address(g, reg, vector_ofs(g));
    } else {
        put_address(g, reg, number_ofs(call, i));
    }
}

/* Values. */

static uint64_t random_number(Gen *g, unsigned size)
{
    uint64_t numbers[3];

    fp_numbers(g->rng, size, numbers);
    return size == FP_SINGLE ? fp_box(g->rng, numbers[0]) : numbers[0];
}

static void put_constant(Gen *g, unsigned reg, uint64_t value)
{
    gen_ins(g, TW_OP_MOVI64, reg, 0, 0, 0);
    gen_word(g, value);
}

static void put_integer(Gen *g, unsigned reg)
{
    if (rng_percent(g->rng, 30)) {
        put_constant(g, reg, fp_integer(g->rng));
    } else if (rng_percent(g->rng, 80)) {
        gen_ins(g, TW_OP_LDE64, reg, 0, 0,
                ENV(fp.integers) +
                    8 * (int32_t)rng_below(g->rng, WORLD_FP_GROUPS));
    }
}

static void put_number(Gen *g, const FpCall *call, unsigned reg, unsigned i)
{
    switch (rng_below(g->rng, 12)) {
    case 0: /* as it is: a result */
        break;
    case 1:
        gen_ins(g, TW_OP_MOV, reg, gen_reg(g), 0, 0);
        break;
    case 2:
        put_constant(g, reg, random_number(g, call->helper->size));
        break;
    default:
        gen_ins(g, TW_OP_LDE64, reg, 0, 0, number_ofs(call, i));
        break;
    }
}

static void put_shift(Gen *g, unsigned reg)
{
    switch (rng_below(g->rng, 8)) {
    case 0:
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, (int32_t)rng_below(g->rng, 3));
        break;
    case 1:
        gen_ins(g, TW_OP_LDE64, reg, 0, 0, ENV(fp.mode));
        break;
    default:
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, 0);
        break;
    }
}

/* RISC-V's numbers. What is no mode ends the run. */
static void put_mode(Gen *g, unsigned reg)
{
    switch (rng_below(g->rng, 40)) {
    case 0:
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, (int32_t)rng_below(g->rng, 12) - 2);
        break;
    case 1:
    case 2:
        gen_ins(g, TW_OP_LDE64, reg, 0, 0, ENV(fp.mode));
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, 7);
        break;
    default:
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, (int32_t)rng_below(g->rng, 5));
        break;
    }
}

static void put_qemu_mode(Gen *g, unsigned reg)
{
    if (rng_percent(g->rng, 80)) {
        gen_ins(g, TW_OP_MOVI, reg, 0, 0, (int32_t)rng_below(g->rng, 4));
    } else if (rng_percent(g->rng, 50)) {
        gen_ins(g, TW_OP_LDE64, reg, 0, 0, ENV(fp.mode));
    }
}

/* Arguments. */

static bool writes_memory(const TwFpHelper *helper)
{
    return helper->to == TW_FP_MEMORY || helper->to == TW_FP_VECTOR;
}

static void put_operand(Gen *g, const FpCall *call, unsigned reg, unsigned i)
{
    switch ((TwFpOp)call->helper->op) {
    case TW_FP_SET_MODE:
        put_mode(g, reg);
        break;
    case TW_FP_SWAP_MODE:
        put_qemu_mode(g, reg);
        break;
    case TW_FP_FROM_I32:
    case TW_FP_FROM_U32:
    case TW_FP_FROM_I64:
    case TW_FP_FROM_U64:
        put_integer(g, reg);
        break;
    default:
        if (call->helper->from == TW_FP_MEMORY ||
            call->helper->from == TW_FP_VECTOR) {
            put_source(g, call, reg, i);
        } else {
            put_number(g, call, reg, i);
        }
        break;
    }
}

static void put_arg(Gen *g, const FpCall *call, unsigned reg)
{
    const TwFpHelper *helper = call->helper;

    if (reg == helper->status_reg) {
        put_address(g, reg,
                    reg ? ENV(fp.status) + 4 * (int32_t)call->status -
                              helper->status
                        : 0);
        return;
    }
    if (helper->shift && reg == helper->shift) {
        put_shift(g, reg);
        return;
    }
    if (writes_memory(helper) && reg == helper->dest) {
        put_address(g, reg, call->dest);
        return;
    }
    if (writes_memory(helper) && reg == helper->rest) {
        put_address(g, reg,
                    rng_percent(g->rng, 50) ? call->dest : vector_ofs(g));
        return;
    }
    for (unsigned i = 0; i < tw_fp_operands((TwFpOp)helper->op); i++) {
        if (reg == helper->reg[i]) {
            put_operand(g, call, reg, i);
        }
    }
}

static unsigned call_flags(Gen *g, const TwFpHelper *helper)
{
    if (helper->op == TW_FP_SET_MODE || helper->relation) {
        return 0;
    }
    return rng_percent(g->rng, 50)
               ? 0
               : TW_CALL_NO_READ_GLOBALS | TW_CALL_NO_WRITE_GLOBALS;
}

/* Keep the result, for later calls and rounds. */
static void item_result(Gen *g, const FpCall *call)
{
    const TwFpHelper *helper = call->helper;

    if (helper->to == TW_FP_REGS || helper->to == TW_FP_BOXED) {
        gen_ins(g, TW_OP_STE64, 0, 0, 0,
                rng_percent(g->rng, 50) ? number_ofs(call, 0)
                                        : gen_mem_ofs(g, 8));
    }
}

static void item_call(Gen *g)
{
    const WorldFpHelper *world_helper =
        &world_fp_helpers[rng_below(g->rng, world_nb_fp_helpers())];
    const TwFpHelper *helper = &world_helper->helper;
    TwSig sig = world_fp_sig(world_helper, sizeof(void *) == 8);
    unsigned nargs = tw_sig_nargs(sig);
    FpCall call = { .helper = helper };
    unsigned first = rng_below(g->rng, nargs);

    call.group = rng_below(g->rng, WORLD_FP_GROUPS);
    call.status = rng_below(g->rng, WORLD_FP_STATUSES);
    call.dest = vector_ofs(g);
    if (helper->status_reg == 0) {
        call.status = (unsigned)(helper->status - ENV(fp.status)) / 4;
    }
    if (rng_percent(g->rng, 50)) {
        item_status(g, &call);
    }
    if (rng_percent(g->rng, 30)) {
        gen_item_globals(g);
    }
    for (unsigned i = 0; i < nargs; i++) {
        put_arg(g, &call, (first + i) % nargs);
    }
    gen_ins(g, TW_OP_CALL, 0, 0, call_flags(g, helper), (int32_t)sig);
    gen_word(g, helper->fn);
    if (rng_percent(g->rng, 30)) {
        gen_item_globals(g);
    }
    if (rng_percent(g->rng, 30)) {
        item_result(g, &call);
    }
}

void gen_item_fp(Gen *g)
{
    for (unsigned i = 1 + rng_below(g->rng, 3); i > 0; i--) {
        item_call(g);
    }
}
