/*
 * One pass over the code writes it, instruction by instruction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-function.h"

#include <stdlib.h>

#include "emit-flow.h"
#include "emit-host.h"
#include "emit-insns.h"
#include "emit-regs.h"
#include "emit-slots.h"

enum { MAX_BODY = 7000000 }; /* engines take 7,654,321 bytes */

static void put_locals(TwEmit *e)
{
    static const uint8_t types[] = { W_TYPE_I32, W_TYPE_I64, W_TYPE_V128,
                                     W_TYPE_F64 };
    const uint8_t *count = e->plan->nlocals;

    put_byte(e, (count[0] != 0) + (count[1] != 0) + (count[2] != 0) +
                    (count[3] != 0));
    for (int i = 0; i < 4; i++) {
        if (count[i]) {
            put_u32(e, count[i]);
            put_byte(e, types[i]);
        }
    }
}

/*
 * At the start of a chain: push the base of the store at its end, unless that
 * store waits, and so writes no memory.
 */
static void start_chain(TwEmit *e)
{
    uint32_t at = e->at;

    while (e->plan->words[at].info & INFO_CHAIN) {
        at += tw_op_words(tw_insn_at(e->plan->code, at).op);
    }
    if (!tw_store_waits(e->plan, at)) {
        tw_push_store_base(e, tw_insn_at(e->plan->code, at));
    }
}

static void emit_insn(TwEmit *e)
{
    bool done;

    tw_regs_insn(e);
    if ((e->plan->words[e->at].info & INFO_CHAIN) && !e->base_pushed) {
        start_chain(e);
    }
    done = tw_emit_alu(e) || tw_emit_mem(e) || tw_emit_cond(e) ||
           tw_emit_wide(e) || tw_emit_vec(e) || tw_emit_leave(e);
    assert(done);
    (void)done;
}

static void emit_code(TwEmit *e)
{
    bool dead = false;
    size_t ended = 0;

    put_locals(e);
    tw_regs_start(e);
    tw_slots_start(e);
    tw_flow_open(e);
    for (e->at = 0; e->at < e->plan->nwords; e->at += tw_op_words(e->insn.op)) {
        e->insn = tw_insn_at(e->plan->code, e->at);
        if (!tw_buf_need(e->out, ROOM)) {
            return;
        }
        if (e->insn.op == TW_OP_ENTRY) {
            tw_enter_segment(&e->place, e->plan, e->at);
        }
        tw_flow_reach(e, &dead);
        if (!dead && tw_buf_need(e->out, ROOM)) {
            emit_insn(e);
            dead = tw_insn_ends(e->insn);
            ended = dead ? e->out->len : ended;
        }
    }
    tw_flow_close(e, ended);
}

bool tw_emit_init(TwEmit *e, const TwGroup *group, const TwTypes *types,
                  TwBuf *out, uint32_t max_words)
{
    *e = (TwEmit){
        .group = group,
        .types = types,
        .out = out,
        /* Each label may be a block and a loop. */
        .scopes = malloc(2 * (size_t)max_words * sizeof(e->scopes[0])),
        .labels = malloc(max_words * sizeof(e->labels[0])),
    };
    return e->scopes && e->labels;
}

void tw_emit_free(TwEmit *e)
{
    free(e->scopes);
    free(e->labels);
    free(e->saved);
}

TwRefusal tw_emit_function(TwEmit *e, const TwPlan *plan)
{
    size_t start;

    if (!tw_buf_need(e->out, ROOM)) {
        return TW_REFUSED_NO_MEMORY;
    }
    e->plan = plan;
    start = tw_put_size_later(e->out);
    emit_code(e);
    if (e->out->failed) {
        return TW_REFUSED_NO_MEMORY;
    }
    if (e->out->len - start > MAX_BODY) {
        return TW_REFUSED_TOO_LARGE;
    }
    tw_patch_size(e->out, start);
    return TW_REFUSED_NONE;
}
