/*
 * Control flow inside a function.
 *
 * A branch target gets a `block` that ends at it (branches from before), a
 * `loop` that starts at it (branches from behind), or both. Blocks are opened
 * together at the start of the function or of the innermost loop around their
 * target, the one that ends first innermost, so that each branch is one `br`:
 *
 *     0004  bri.eq r1, 0, ->0009     block block    (ends 0012, 0009)
 *     0005  ...                        br_if 0
 *     0006  br ->0012                  br 1
 *     0009  ...                      end
 *     0012  ...                      end
 *
 * A loop reaches from its target to its last backward branch, or further where
 * loops overlap. In a region, that the loops of reducible code nest is due to
 * the order of the members (region.c).
 *
 * What remains is a jump into the middle of a loop, from before it. Such a
 * target gets a *number*, which the jump leaves in TW_PC, and goes to the start
 * of the outermost loop that it would enter. A loop that is entered so has a
 * *dispatcher* at its start, a br_table by TW_PC: 0 is the ordinary way in, any
 * other number leads to the label, or to the loop inside that has it:
 *
 *     loop
 *       block block               (ends: the label with number 1; number 0)
 *         br_table TW_PC: 0 1
 *       end
 *       ...
 *     end
 *     TW_PC = 0                   at the label, so that it is 0 but on the way
 *     ...
 *
 * Loops inside or around it that are entered at their start alone have none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

/* How far do loops reach, and which are around which label? */
static void find_loops(TwEmit *e)
{
    uint32_t loop = NO_LABEL;

    for (uint32_t i = 0; i < e->nbranches; i++) {
        uint32_t at = e->branches[i], target = e->words[at].target;

        if (target <= at) { /* branches come in order */
            e->labels[e->words[target].label].loop_end =
                at + tw_op_words(tw_insn_at(e->code, at).op);
        }
    }
    for (uint32_t i = 0; i < e->nlabels; i++) {
        TwLabel *label = &e->labels[i];

        while (loop != NO_LABEL && e->labels[loop].loop_end <= label->word) {
            loop = e->labels[loop].owner;
        }
        label->owner = loop;
        if (!label->loop_end) {
            continue;
        }
        for (uint32_t j = i + 1;
             j < e->nlabels && e->labels[j].word < label->loop_end; j++) {
            if (e->labels[j].loop_end > label->loop_end) {
                label->loop_end = e->labels[j].loop_end;
            }
        }
        loop = i;
    }
}

/* The outermost loop around @label that starts behind @at, or NO_LABEL. */
static uint32_t entered_loop(const TwEmit *e, const TwLabel *label, uint32_t at)
{
    uint32_t loop = NO_LABEL;

    for (uint32_t i = label->owner; i != NO_LABEL && e->labels[i].word > at;
         i = e->labels[i].owner) {
        loop = i;
    }
    return loop;
}

static void note_source(TwLabel *label, uint32_t at)
{
    label->first_src = at < label->first_src ? at : label->first_src;
}

static void find_sources(TwEmit *e)
{
    uint32_t numbers = 0;

    for (uint32_t i = 0; i < e->nbranches; i++) {
        uint32_t at = e->branches[i], target = e->words[at].target;
        TwLabel *label = &e->labels[e->words[target].label];

        if (target <= at) {
            continue;
        }
        note_source(label, at);
        label->number =
            entered_loop(e, label, at) != NO_LABEL ? 1 : label->number;
        for (uint32_t j = label->owner; j != NO_LABEL && e->labels[j].word > at;
             j = e->labels[j].owner) {
            note_source(&e->labels[j], at);
            e->labels[j].dispatches = true;
        }
    }
    for (uint32_t i = 0; i < e->nlabels; i++) {
        if (e->labels[i].number) {
            e->labels[i].number = ++numbers;
        }
    }
    if (numbers) {
        e->scratch_used |= 1u << TW_PC;
    }
}

void tw_flow_nest(TwEmit *e)
{
    find_loops(e);
    find_sources(e);
}

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
        TwLabel *label = &e->labels[i];

        if (label->owner == owner && label->first_src != UINT32_MAX) {
            label->block_depth = e->depth;
            open_scope(e, W_BLOCK, label->word);
        }
    }
}

/* The label owned by @loop whose block leads to @label, or NO_LABEL. */
static uint32_t way_to(const TwEmit *e, uint32_t loop, uint32_t label)
{
    while (label != NO_LABEL && e->labels[label].owner != loop) {
        label = e->labels[label].owner;
    }
    return label;
}

/* Jump to the label in TW_PC; 0, and labels elsewhere: go on. */
static void put_dispatcher(TwEmit *e, uint32_t loop)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < e->nlabels; i++) {
        count += e->labels[i].number != 0;
    }
    if (!tw_buf_need(e->out, 5 * (size_t)count + ROOM)) {
        return;
    }
    put_byte(e, W_BLOCK);
    put_byte(e, W_TYPE_VOID);
    put_get(e, e->scratch[TW_PC]);
    put_byte(e, W_BR_TABLE);
    put_u32(e, count);
    put_u32(e, 0);
    for (uint32_t i = 0; i < e->nlabels; i++) {
        if (e->labels[i].number) {
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
    if (e->neg_ofs) {
        put_get(e, LOCAL_ENV);
        put_i32(e, (uint32_t)e->neg_ofs);
        put_byte(e, W_I32_ADD);
        put_set(e, e->scratch[TW_NEG]);
    }
    open_blocks(e, NO_LABEL, 0, e->nlabels);
}

static void open_loop(TwEmit *e, uint32_t i)
{
    TwLabel *label = &e->labels[i];
    uint32_t end = i;

    while (end < e->nlabels && e->labels[end].word < label->loop_end) {
        end++;
    }
    label->loop_depth = e->depth;
    open_scope(e, W_LOOP, label->loop_end);
    open_blocks(e, i, i + 1, end);
    if (label->dispatches && !e->out->failed) {
        put_dispatcher(e, i);
    }
}

/* Code that was not ended by a jump goes on at a label. */
static void fall_into(TwEmit *e, TwLabel *label)
{
    tw_flush(e, label->live);
    tw_slots_settle(e, label);
    tw_slots_edge(e, label);
}

/* Here TW_PC is 0 again, if it may not have been. */
static void put_arrived(TwEmit *e, const TwLabel *label)
{
    if (label->number) {
        put_i32(e, 0);
        put_set(e, e->scratch[TW_PC]);
    }
}

void tw_flow_reach(TwEmit *e, bool *dead)
{
    bool target = e->words[e->at].info & INFO_TARGET;
    TwLabel *label = &e->labels[e->words[e->at].label];

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
        open_loop(e, e->words[e->at].label);
    }
    if (label->dispatches) {
        put_arrived(e, label);
    }
}

/*
 * End the function. Unless the last thing written was an instruction that ends
 * (at @ended), its result is still wanted on the stack.
 */
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

/* Jump to @label, from inside @arms scopes that are not counted. */
static void put_jump(TwEmit *e, const TwLabel *label, unsigned op,
                     unsigned arms)
{
    uint32_t outer = label->loop_depth;

    if (label->word > e->at) {
        uint32_t loop = entered_loop(e, label, e->at);

        outer = label->block_depth;
        if (loop != NO_LABEL) {
            put_i32(e, label->number);
            put_set(e, e->scratch[TW_PC]);
            outer = e->labels[loop].block_depth;
        }
    }
    put_byte(e, op);
    put_u32(e, e->depth + arms - 1 - outer);
}

static TwLabel *taken_label(TwEmit *e)
{
    return &e->labels[e->words[e->words[e->at].target].label];
}

void tw_flow_take(TwEmit *e)
{
    TwLabel *label = taken_label(e);
    bool enters =
        label->word > e->at && entered_loop(e, label, e->at) != NO_LABEL;

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

void tw_flow_branch(TwEmit *e)
{
    TwLabel *label = taken_label(e);

    tw_flush(e, tw_live_at_target(e, e->at));
    tw_slots_settle(e, label);
    if (e->insn.op == TW_OP_BR) {
        tw_slots_edge(e, label);
        put_jump(e, label, W_BR, 0);
    } else {
        tw_emit_condition(e);
        tw_flow_take(e);
    }
}
