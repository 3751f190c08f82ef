/*
 * Instruction selection: entry, exits, chaining, helper calls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-flow.h"
#include "emit-fp.h"
#include "emit-lookup.h"
#include "emit-regs.h"
#include "emit-slots.h"

static void put_count(TwEmit *e, uint32_t n)
{
    put_i32(e, e->place.tb->addr);
    put_i32(e, e->place.tb->addr);
    put_mem(e, W_I32_LOAD, 2, HEADER_TIER1_COUNT);
    put_i32(e, n);
    put_byte(e, W_I32_ADD);
    put_mem(e, W_I32_STORE, 2, HEADER_TIER1_COUNT);
}

static void put_sample(TwEmit *e)
{
    unsigned left = e->plan->scratch[TW_T0];

    put_get(e, LOCAL_FRAME);
    put_get(e, LOCAL_FRAME);
    put_mem(e, W_I32_LOAD, 2, FRAME_SAMPLE_LEFT);
    put_i32(e, (uint32_t)-1);
    put_byte(e, W_I32_ADD);
    put_tee(e, left);
    put_mem(e, W_I32_STORE, 2, FRAME_SAMPLE_LEFT);
    put_get(e, left);
    put_byte(e, W_I32_EQZ);
    put_if(e, W_TYPE_VOID);
    put_get(e, LOCAL_FRAME);
    put_i32(e, e->group->options->sample_period);
    put_mem(e, W_I32_STORE, 2, FRAME_SAMPLE_LEFT);
    put_count(e, e->group->options->sample_period);
    put_byte(e, W_END);
}

static void emit_entry(TwEmit *e)
{
    switch (e->group->options->counts) {
    case TW_COUNTS_OFF:
        break;
    case TW_COUNTS_SAMPLED:
        put_sample(e);
        break;
    case TW_COUNTS_EXACT:
        put_count(e, 1);
        break;
    }
}

static void put_t0(TwEmit *e)
{
    put_get(e, e->plan->scratch[TW_T0]);
}

static void put_args(TwEmit *e)
{
    put_get(e, LOCAL_ENV);
    put_get(e, LOCAL_FRAME);
    put_t0(e);
}

static void put_return_chain(TwEmit *e)
{
    put_t0(e);
    put_i32(e, TW_CHAIN);
    put_byte(e, W_I32_OR);
    put_byte(e, W_RETURN);
}

/* Go to the TB whose header's address is in T0, which is not 0. */
static void put_transfer(TwEmit *e)
{
    if (e->group->options->chaining == TW_CHAIN_TAIL) {
        put_t0(e);
        put_mem(e, W_I32_LOAD, 2, HEADER_FN);
        put_tee(e, e->plan->scratch[TW_T1]);
        put_if(e, W_TYPE_VOID);
        put_args(e);
        put_get(e, e->plan->scratch[TW_T1]);
        put_byte(e, W_RETURN_CALL_INDIRECT);
        put_u32(e, 0);
        put_byte(e, 0);
        put_byte(e, W_END);
    }
    put_return_chain(e);
}

/* Push the exit's target, and leave it in T0 as well. */
static void put_target(TwEmit *e)
{
    if (e->insn.op == TW_OP_GOTO_PTR) {
        tw_read32(e, e->insn.a);
    } else {
        put_i32(e, tw_address(e, e->at + 1));
        put_mem(e, W_I32_LOAD, 2, 0);
    }
    put_tee(e, e->plan->scratch[TW_T0]);
}

/*
 * If the exit's target is the TB that is expected, go there directly: by a
 * branch to the TB's segment, or by a call of its function. Else go on, with
 * the target on the stack and in T0.
 */
static void put_expected(TwEmit *e)
{
    uint32_t target = e->plan->words[e->at].target;
    uint32_t member;

    if (target != NO_TARGET) {
        tw_slots_settle(e, tw_taken_label(e));
        put_target(e);
        put_i32(e, tw_segment_address(e->plan, target));
        put_byte(e, W_I32_EQ);
        tw_flow_jump_if(e);
        tw_slots_clean(e);
        put_t0(e);
        return;
    }
    tw_slots_clean(e);
    put_target(e);
    if (tw_find_successor(e->group, e->place.tb, &e->plan->code[e->at],
                          &member)) {
        put_i32(e, e->group->tbs[member].addr);
        put_byte(e, W_I32_EQ);
        put_if(e, W_TYPE_VOID);
        put_args(e);
        put_byte(e, W_RETURN_CALL);
        put_u32(e, member);
        put_byte(e, W_END);
        put_t0(e);
    }
}

/*
 * The exit's target is read at each execution, so that unlinking takes effect
 * at once. If the target is the next instruction, the exit is not chained.
 */
static void emit_goto_tb(TwEmit *e)
{
    put_expected(e);
    put_i32(e, tw_address(e, e->at + 2));
    put_byte(e, W_I32_NE);
    put_if(e, W_TYPE_VOID);
    put_transfer(e);
    put_byte(e, W_END);
}

static void emit_goto_ptr(TwEmit *e)
{
    put_expected(e);
    put_if(e, W_TYPE_VOID);
    put_transfer(e);
    put_byte(e, W_END);
    put_i32(e, 0);
    put_byte(e, W_RETURN);
}

/* If the jump cache holds the TB that is expected, go there directly. */
static void put_lookup_expected(TwEmit *e)
{
    const uint64_t *words = &e->plan->code[e->at];
    uint32_t target = e->plan->words[e->at].target, member;
    TwExpected expected;

    if (target != NO_TARGET) {
        if (tw_lookup_expects(e->group, words,
                              tw_segment_address(e->plan, target), &expected)) {
            tw_slots_settle(e, tw_taken_label(e));
            tw_put_probe(e, &expected);
            tw_flow_jump_if(e);
        }
        tw_slots_clean(e);
        return;
    }
    tw_slots_clean(e);
    if (tw_find_successor(e->group, e->place.tb, words, &member) &&
        tw_lookup_expects(e->group, words, e->group->tbs[member].addr,
                          &expected)) {
        tw_put_probe(e, &expected);
        put_if(e, W_TYPE_VOID);
        put_get(e, LOCAL_ENV);
        put_get(e, LOCAL_FRAME);
        put_i32(e, e->group->tbs[member].addr);
        put_byte(e, W_RETURN_CALL);
        put_u32(e, member);
        put_byte(e, W_END);
    }
}

static void emit_lookup(TwEmit *e)
{
    put_lookup_expected(e);
    put_get(e, LOCAL_FRAME);
    put_i32(e, tw_address(e, e->at));
    put_mem(e, W_I32_STORE, 2, FRAME_RET_PC);
    put_get(e, LOCAL_ENV);
    put_i32(e, (uint32_t)e->plan->code[e->at + 2]);
    put_call(e, (uint32_t)e->plan->code[e->at + 1],
             tw_type_index(e->types, TW_LOOKUP_SIG));
    put_tee(e, e->plan->scratch[TW_T0]);
    put_if(e, W_TYPE_VOID);
    put_transfer(e);
    put_byte(e, W_END);
    put_i32(e, 0);
    put_byte(e, W_RETURN);
}

static void emit_call(TwEmit *e)
{
    TwSig sig = (TwSig)e->insn.imm;
    unsigned flags = tw_call_flags(e->group->target, &e->plan->code[e->at]);

    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        if (tw_sig_arg_is64(sig, i)) {
            tw_read(e, i);
        } else {
            tw_read32(e, i);
        }
    }
    if (!(flags & TW_CALL_NO_READ_GLOBALS)) {
        tw_slots_clean(e);
        put_get(e, LOCAL_FRAME);
        put_i32(e, tw_address(e, e->at));
        put_mem(e, W_I32_STORE, 2, FRAME_RET_PC);
    }
    put_call(e, (uint32_t)e->plan->code[e->at + 1],
             tw_type_index(e->types, sig));
    if (!(flags & (TW_CALL_NO_READ_GLOBALS | TW_CALL_NO_WRITE_GLOBALS))) {
        tw_slots_forget(e);
    }
    if (e->insn.c & TW_CALL_NO_RETURN) {
        put_byte(e, W_UNREACHABLE);
    } else if (tw_sig_ret(sig) == TW_SIG_I32) {
        tw_write_u32(e, 0);
    } else if (tw_sig_ret(sig) == TW_SIG_I64) {
        tw_write(e, 0);
    }
}

bool tw_emit_leave(TwEmit *e)
{
    switch (e->insn.op) {
    case TW_OP_ENTRY:
        emit_entry(e);
        return true;
    case TW_OP_EXIT_TB:
        tw_slots_clean(e);
        put_i32(e, (uint32_t)e->plan->code[e->at + 1]);
        put_byte(e, W_RETURN);
        return true;
    case TW_OP_GOTO_TB:
        emit_goto_tb(e);
        return true;
    case TW_OP_GOTO_PTR:
        emit_goto_ptr(e);
        return true;
    case TW_OP_LOOKUP:
        emit_lookup(e);
        return true;
    case TW_OP_CALL:
        if (!tw_emit_fp(e)) {
            emit_call(e);
        }
        return true;
    case TW_OP_MB:
        put_byte(e, W_PREFIX_ATOMIC);
        put_byte(e, W_ATOMIC_FENCE);
        put_byte(e, 0);
        return true;
    default:
        return false;
    }
}
