/*
 * Opening and closing scopes, and jumping out of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-flow.h"

#include "emit-regs.h"
#include "emit-slots.h"
#include "plan-loops.h"

static void open_scope(TwEmit *e, unsigned op, uint32_t end)
{
    put_byte(e, op);
    put_byte(e, W_TYPE_VOID);
    e->scopes[e->depth++] = end;
}

/* Open the blocks of labels [from, to) that belong to the loop @owner. */
static void open_blocks(TwEmit *e, uint32_t owner, uint32_t from, uint32_t to)
{
    if (!tw_buf_need(e->out, 2 * (to - from) + ROOM)) {
        return;
    }
    for (uint32_t i = to; i-- > from;) {
        const TwLabel *label = &e->plan->labels[i];

        if (label->owner == owner && label->first_src != UINT32_MAX) {
            e->labels[i].block_depth = e->depth;
            open_scope(e, W_BLOCK, label->word);
        }
    }
}

/* The label owned by @loop whose block leads to @label, or NO_LABEL. */
static uint32_t way_to(const TwEmit *e, uint32_t loop, uint32_t label)
{
    while (label != NO_LABEL && e->plan->labels[label].owner != loop) {
        label = e->plan->labels[label].owner;
    }
    return label;
}

/*
 * Jump to the label whose number is in TW_PC; with 0 and with numbers of labels
 * outside the loop, go on. Numbers that TW_PC never has here may lead anywhere:
 * the loop inside that has such a label may have no block, and counts as depth
 * 0.
 */
static void put_dispatcher(TwEmit *e, uint32_t loop)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < e->plan->nlabels; i++) {
        count += e->plan->labels[i].number != 0;
    }
    if (!tw_buf_need(e->out, 5 * (size_t)count + ROOM)) {
        return;
    }
    put_byte(e, W_BLOCK);
    put_byte(e, W_TYPE_VOID);
    put_get(e, e->plan->scratch[TW_PC]);
    put_byte(e, W_BR_TABLE);
    put_u32(e, count);
    put_u32(e, 0);
    for (uint32_t i = 0; i < e->plan->nlabels; i++) {
        if (e->plan->labels[i].number) {
            uint32_t way = way_to(e, loop, i);

            put_u32(e, way == NO_LABEL ? 0
                                       : e->depth - e->labels[way].block_depth);
        }
    }
    put_u32(e, 0);
    put_byte(e, W_END);
}

void tw_flow_open(TwEmit *e)
{
    e->depth = 0;
    for (uint32_t i = 0; i < e->plan->nlabels; i++) {
        e->labels[i] = (TwLabelState){ .saved = NOT_SAVED };
    }
    if (e->plan->neg_ofs) {
        put_get(e, LOCAL_ENV);
        put_i32(e, (uint32_t)e->plan->neg_ofs);
        put_byte(e, W_I32_ADD);
        put_set(e, e->plan->scratch[TW_NEG]);
    }
    open_blocks(e, NO_LABEL, 0, e->plan->nlabels);
}

static void open_loop(TwEmit *e, uint32_t i)
{
    const TwLabel *label = &e->plan->labels[i];
    uint32_t end = i;

    while (end < e->plan->nlabels &&
           e->plan->labels[end].word < label->loop_end) {
        end++;
    }
    e->labels[i].loop_depth = e->depth;
    open_scope(e, W_LOOP, label->loop_end);
    open_blocks(e, i, i + 1, end);
    if (label->dispatches && !e->out->failed) {
        put_dispatcher(e, i);
    }
}

/*
 * The code before the label does not end with a jump: it goes on at the label.
 */
static void fall_into(TwEmit *e, const TwLabel *label)
{
    tw_flush(e, label->live);
    tw_slots_settle(e, label);
    tw_slots_edge(e, label);
}

/* A jump by number has arrived at its label: clear TW_PC. */
static void put_arrived(TwEmit *e, const TwLabel *label)
{
    if (label->number) {
        put_i32(e, 0);
        put_set(e, e->plan->scratch[TW_PC]);
    }
}

void tw_flow_reach(TwEmit *e, bool *dead)
{
    bool target = e->plan->words[e->at].info & INFO_TARGET;
    const TwLabel *label = &e->plan->labels[e->plan->words[e->at].label];

    if (target && !*dead) {
        fall_into(e, label);
    }
    while (e->depth && e->scopes[e->depth - 1] == e->at) {
        put_byte(e, W_END);
        e->depth--;
        if (!tw_buf_need(e->out, ROOM)) {
            return;
        }
    }
    if (!target) {
        return;
    }
    *dead = false;
    tw_regs_label(e);
    tw_slots_label(e, label);
    if (!label->dispatches) {
        put_arrived(e, label);
    }
    if (label->loop_end) {
        open_loop(e, e->plan->words[e->at].label);
    }
    if (label->dispatches) {
        put_arrived(e, label);
    }
}

void tw_flow_close(TwEmit *e, size_t ended)
{
    if (!tw_buf_need(e->out, e->depth + ROOM)) {
        return;
    }
    for (; e->depth; e->depth--) {
        put_byte(e, W_END);
    }
    if (e->out->len != ended) {
        put_byte(e, W_UNREACHABLE);
    }
    put_byte(e, W_END);
}

/*
 * Jump to @label by @op (br or br_if), from inside @arms scopes that are not
 * counted in e->depth.
 */
static void put_jump(TwEmit *e, const TwLabel *label, unsigned op,
                     unsigned arms)
{
    uint32_t i = (uint32_t)(label - e->plan->labels);
    uint32_t outer = e->labels[i].loop_depth;

    if (label->word > e->at) {
        uint32_t loop = tw_entered_loop(e->plan, label, e->at);

        outer = e->labels[i].block_depth;
        if (loop != NO_LABEL) {
            put_i32(e, label->number);
            put_set(e, e->plan->scratch[TW_PC]);
            outer = e->labels[loop].block_depth;
        }
    }
    put_byte(e, op);
    put_u32(e, e->depth + arms - 1 - outer);
}

const TwLabel *tw_taken_label(const TwEmit *e)
{
    uint32_t target = e->plan->words[e->at].target;

    return &e->plan->labels[e->plan->words[target].label];
}

void tw_flow_jump(TwEmit *e)
{
    const TwLabel *label = tw_taken_label(e);

    tw_slots_edge(e, label);
    put_jump(e, label, W_BR, 0);
}

void tw_flow_jump_if(TwEmit *e)
{
    const TwLabel *label = tw_taken_label(e);
    bool enters = label->word > e->at &&
                  tw_entered_loop(e->plan, label, e->at) != NO_LABEL;

    if (!enters && !tw_slots_edge_costs(e, label)) {
        tw_slots_edge(e, label);
        put_jump(e, label, W_BR_IF, 0);
        return;
    }
    put_if(e, W_TYPE_VOID);
    tw_slots_edge(e, label);
    put_jump(e, label, W_BR, 1);
    put_byte(e, W_END);
}
