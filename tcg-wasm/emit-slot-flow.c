/*
 * Which slots are in their locals, and which of these are dirty, at each label.
 *
 * Any choice is right, as each way to a label is made to agree with it where
 * the code is written; this one is to cost little, most of all in loops. One
 * walk over the code notes, for each edge (a branch, or the falling into a
 * label), what happens to the slots between the start of its block and there.
 * Then sets of slots flow along the edges until nothing changes:
 *
 *   wanted, backward: read before being overwritten or forgotten.
 *   valid, dirty, forward. At a label inside straight code, valid is what is
 *     valid on each way there, and dirty what is dirty on any. At a loop's start,
 *     valid is what each way back has, if it is wanted or dirty on one of them,
 *     so that nothing is loaded or written on the way back; what is wanted is
 *     loaded, and what the loop does not make dirty is written, before the loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

enum { MAX_ROUNDS = 10 };

static const uint64_t all_slots = ~UINT64_C(0);

static void start_block(TwEdge *walk, uint32_t label)
{
    *walk = (TwEdge){
        .from = label,
        .untouched = all_slots,
        .kept = all_slots,
        .kept_dirty = all_slots,
    };
}

static void add_edge(TwEmit *e, const TwEdge *walk, uint32_t at,
                     uint32_t target)
{
    TwEdge *edge = &e->edges[e->nedges++];

    *edge = *walk;
    edge->to = e->words[target].label;
    edge->back = target <= at;
    e->labels[edge->to].edges++;
}

static void walk_clean(TwEdge *walk, uint64_t set)
{
    walk->kept_dirty &= ~set;
    walk->dirty &= ~set;
}

static void walk_forget(TwEdge *walk, uint64_t set)
{
    walk_clean(walk, set);
    walk->untouched &= ~set;
    walk->kept &= ~set;
    walk->valid &= ~set;
}

static void walk_access(TwEmit *e, TwEdge *walk, uint32_t at,
                        const TwEnvAccess *access)
{
    unsigned slot = e->words[at].slot;
    uint64_t set;

    if (slot == NO_SLOT) {
        set = tw_slots_overlapping(e, access);
        walk_clean(walk, set);
        if (access->is_store) {
            walk_forget(walk, set);
        }
        return;
    }
    set = UINT64_C(1) << slot;
    if (access->is_store) {
        walk_clean(walk, set);
        walk->dirty |= tw_store_waits(e, at) ? set : 0;
    } else if (walk->from != NO_LABEL) {
        e->labels[walk->from].wanted |= walk->untouched & set;
    }
    walk->untouched &= ~set;
    walk->valid |= set;
}

static void walk_insn(TwEmit *e, TwEdge *walk, uint32_t at, TwInsn insn)
{
    TwEnvAccess access;

    if (tw_env_access(insn, &access)) {
        walk_access(e, walk, at, &access);
    } else if (insn.op == TW_OP_CALL && !(insn.c & TW_CALL_NO_READ_GLOBALS)) {
        walk_clean(walk, all_slots);
        if (!(insn.c & TW_CALL_NO_WRITE_GLOBALS)) {
            walk_forget(walk, all_slots);
        }
    } else if (insn.op == TW_OP_QLDX || insn.op == TW_OP_QSTX) {
        walk_clean(walk, all_slots);
    }
    if (insn.op == TW_OP_LOOKUP && e->words[at].target != NO_TARGET) {
        access = tw_lookup_access(e);
        walk_access(e, walk, at, &access);
    }
    if (e->words[at].target != NO_TARGET) {
        add_edge(e, walk, at, e->words[at].target);
    }
    if (insn.op == TW_OP_GOTO_TB) {
        walk_clean(walk, all_slots);
    }
}

static void find_edges(TwEmit *e)
{
    TwEdge walk;
    bool dead = false;

    start_block(&walk, NO_LABEL);
    e->lazy_until = 0;
    for (uint32_t at = 0; at < e->nwords;) {
        TwInsn insn = tw_insn_at(e->code, at);

        if (e->words[at].info & INFO_TARGET) {
            if (!dead) {
                add_edge(e, &walk, UINT32_MAX - 1, at);
                e->edges[e->nedges - 1].back = false;
            }
            start_block(&walk, e->words[at].label);
            tw_slots_reach(e, &e->labels[e->words[at].label]);
            dead = false;
        }
        if (!dead) {
            walk_insn(e, &walk, at, insn);
            dead = tw_insn_ends(insn);
        }
        at += tw_op_words(insn.op);
    }
}

static void find_wanted(TwEmit *e)
{
    bool changed = true;

    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (uint32_t i = e->nedges; i-- > 0;) {
            const TwEdge *edge = &e->edges[i];
            uint64_t wanted = e->labels[edge->to].wanted & edge->untouched;

            if (edge->from != NO_LABEL &&
                (wanted & ~e->labels[edge->from].wanted)) {
                e->labels[edge->from].wanted |= wanted;
                changed = true;
            }
        }
    }
}

/* What this edge brings to its label is added to what others brought. */
static void meet(TwEmit *e, const TwEdge *edge)
{
    TwLabel *to = &e->labels[edge->to];
    uint64_t valid = 0, dirty = 0;

    if (!edge->back && to->loop_end) {
        return;
    }
    if (edge->from != NO_LABEL) {
        valid = e->labels[edge->from].valid;
        dirty = e->labels[edge->from].dirty;
    }
    to->meet_valid &= (valid & edge->kept) | edge->valid;
    to->meet_dirty |= (dirty & edge->kept_dirty) | edge->dirty;
}

/* Decide a label, once the edges from before it were met. True if it changed. */
static bool decide(TwLabel *label)
{
    uint64_t valid = label->edges ? label->meet_valid : 0;
    uint64_t dirty = label->meet_dirty;
    bool changed;

    if (label->loop_end) {
        valid &= label->wanted | dirty;
    }
    dirty &= valid;
    changed = valid != label->valid || dirty != label->dirty;
    label->valid = valid;
    label->dirty = dirty;
    label->meet_valid = all_slots;
    label->meet_dirty = 0;
    return changed;
}

/*
 * Edges are in the order of the code, and so are the blocks that they are from;
 * thus one round decides all but what depends on edges back, which are met for
 * the next round.
 */
static void find_state(TwEmit *e)
{
    bool changed = true;

    for (uint32_t i = 0; i < e->nlabels; i++) {
        e->labels[i].meet_valid = all_slots;
    }
    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        uint32_t decided = 0;

        changed = false;
        for (uint32_t i = 0; i < e->nedges; i++) {
            const TwEdge *edge = &e->edges[i];

            while (edge->from != NO_LABEL && decided <= edge->from) {
                changed |= decide(&e->labels[decided++]);
            }
            meet(e, edge);
        }
        while (decided < e->nlabels) {
            changed |= decide(&e->labels[decided++]);
        }
    }
}

void tw_slots_analyse(TwEmit *e)
{
    find_edges(e);
    find_wanted(e);
    find_state(e);
}
