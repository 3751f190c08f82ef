/*
 * One function: from the code of its member, or of its region's members, to the
 * body. See emit.c for the passes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

enum { MAX_BODY = 7000000 };

/* Give locals from @local on to the scratch [from, to) that is used. */
static unsigned give_scratch(TwEmit *e, int from, int to, unsigned local)
{
    for (int i = from; i < to; i++) {
        if (e->scratch_used >> i & 1) {
            e->scratch[i] = (uint8_t)local++;
        }
    }
    return local;
}

static unsigned give_regs(TwEmit *e, int from, int to, unsigned local)
{
    for (int i = from; i < to; i++) {
        if (e->regs_used >> i & 1) {
            e->local[i] = (uint8_t)local++;
        }
    }
    return local;
}

static void put_locals(TwEmit *e)
{
    static const uint8_t types[] = { W_TYPE_I32, W_TYPE_I64, W_TYPE_V128 };
    unsigned ends[4] = { NB_PARAMS };
    unsigned local, groups = 0;

    local = ends[1] = give_scratch(e, 0, TW_FIRST_I64, NB_PARAMS);
    local = give_scratch(e, TW_FIRST_I64, TW_FIRST_V128, local);
    local = give_regs(e, 0, TW_REG_ENV, local);
    for (uint32_t i = 0; i < e->nslots; i++) {
        e->slots[i].local = (uint8_t)local++;
    }
    ends[2] = local;
    local = give_scratch(e, TW_FIRST_V128, TW_NB_SCRATCH, local);
    ends[3] = give_regs(e, TW_REG_V0, TW_NB_ALL_REGS, local);
    for (int i = 0; i < 3; i++) {
        groups += ends[i] != ends[i + 1];
    }
    put_byte(e, groups);
    for (int i = 0; i < 3; i++) {
        if (ends[i] != ends[i + 1]) {
            put_u32(e, ends[i + 1] - ends[i]);
            put_byte(e, types[i]);
        }
    }
}

/* At the start of a chain, the base of the store at its end, if that is now. */
static void start_chain(TwEmit *e)
{
    uint32_t at = e->at;

    while (e->words[at].info & INFO_CHAIN) {
        at += tw_op_words(tw_insn_at(e->code, at).op);
    }
    if (!tw_store_waits(e, at)) {
        tw_push_store_base(e, tw_insn_at(e->code, at));
    }
}

static void emit_insn(TwEmit *e)
{
    tw_regs_insn(e);
    if ((e->words[e->at].info & INFO_CHAIN) && !e->base_pushed) {
        start_chain(e);
    }
    if (tw_format_branches(tw_op_format(e->insn.op))) {
        tw_flow_branch(e);
    } else {
        bool done = tw_emit_alu(e) || tw_emit_mem(e) || tw_emit_set(e) ||
                    tw_emit_wide(e) || tw_emit_vec(e) || tw_emit_leave(e);
        assert(done);
        (void)done;
    }
}

static void emit_code(TwEmit *e)
{
    bool dead = false;
    size_t ended = 0;

    tw_scan(e);
    put_locals(e);
    tw_regs_start(e);
    tw_slots_start(e);
    tw_flow_open(e);
    for (e->at = 0; e->at < e->nwords; e->at += tw_op_words(e->insn.op)) {
        e->insn = tw_insn_at(e->code, e->at);
        if (!tw_buf_need(e->out, ROOM)) {
            return;
        }
        if (e->insn.op == TW_OP_ENTRY) {
            tw_enter_segment(e, e->at);
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

/* Does the member lead to itself? */
static bool loops(const TwEmit *e, uint32_t member)
{
    const TwRegionNode *node = &e->nodes[member];

    return node->succ[0] == member || node->succ[1] == member ||
           node->succ[TW_REGION_GOTO_PTR] == member;
}

static void add_segment(TwEmit *e, uint32_t member)
{
    const TwTbRef *tb = &e->tbs[member];

    e->segments[e->nsegments++] = (TwSegment){ tb, e->nwords };
    e->start_of[member] = e->nwords;
    e->nwords += tb->nwords;
}

/* Make the code of the function that is in the slot of @member. */
static void set_segments(TwEmit *e, uint32_t member)
{
    uint32_t count = e->plan.count ? e->plan.count[member] : 0;

    e->nsegments = 0;
    e->nwords = 0;
    if (count < 2) {
        add_segment(e, member);
        e->code = e->tbs[member].code;
    }
    for (uint32_t i = 0; count >= 2 && i < count; i++) {
        add_segment(e, e->plan.members[e->plan.start[member] + i]);
    }
    for (uint32_t i = 0; count >= 2 && i < count; i++) {
        const TwSegment *segment = &e->segments[i];

        memcpy(&e->joined[segment->start], segment->tb->code,
               segment->tb->nwords * sizeof(e->joined[0]));
        e->code = e->joined;
    }
    e->caching =
        e->target->nglobals && (count > 1 || (count && loops(e, member)));
}

static void clear_segments(TwEmit *e)
{
    for (uint32_t i = 0; i < e->nsegments; i++) {
        e->start_of[e->segments[i].tb - e->tbs] = NO_TARGET;
    }
}

TwRefusal tw_emit_function(TwEmit *e, uint32_t member)
{
    size_t start;

    if (!tw_buf_need(e->out, ROOM)) {
        return TW_REFUSED_NO_MEMORY;
    }
    set_segments(e, member);
    start = put_size_later(e);
    emit_code(e);
    clear_segments(e);
    if (e->out->failed) {
        return TW_REFUSED_NO_MEMORY;
    }
    if (e->out->len - start > MAX_BODY) {
        return TW_REFUSED_TOO_LARGE;
    }
    patch_size(e, start);
    return TW_REFUSED_NONE;
}
