/*
 * The walk over the code, and the flow along its edges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-slot-flow.h"

#include "plan-slots.h"

enum {
    MAX_ROUNDS = 10,
    /*
     * In longer loops stores go to env at once: what is dirty is written on
     * each rare path that leaves, which is as much code as the stores saved,
     * many times.
     */
    MAX_LAZY_WORDS = 4000,
};

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

static void add_edge(TwPlanner *p, const TwEdge *walk, uint32_t at,
                     uint32_t target)
{
    TwEdge *edge = &p->edges[p->nedges++];

    *edge = *walk;
    edge->to = p->words[target].label;
    edge->back = target <= at;
    p->labels[edge->to].edges++;
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

static void walk_access(TwPlanner *p, TwEdge *walk, uint32_t at,
                        const TwEnvAccess *access)
{
    unsigned slot = p->words[at].slot;
    uint64_t set;

    if (slot == NO_SLOT) {
        set = tw_slots_overlapping(&p->plan, access);
        walk_clean(walk, set);
        if (access->is_store) {
            walk_forget(walk, set);
        }
        return;
    }
    set = UINT64_C(1) << slot;
    if (access->is_store) {
        bool waits = at < p->lazy_until || (p->words[at].info & INFO_CONST);

        walk_clean(walk, set);
        walk->dirty |= waits ? set : 0;
        p->words[at].info |= waits ? INFO_WAITS : 0;
    } else if (walk->from != NO_LABEL) {
        p->labels[walk->from].wanted |= walk->untouched & set;
    }
    walk->untouched &= ~set;
    walk->valid |= set;
}

static void walk_call(TwPlanner *p, TwEdge *walk, uint32_t at)
{
    const TwTarget *target = p->plan.group->target;
    unsigned flags = tw_call_flags(target, &p->plan.code[at]);
    TwEnvAccess accesses[2];
    unsigned n = tw_fp_stores(target, &p->plan.code[at], accesses);

    for (unsigned i = 0; i < n; i++) {
        walk_forget(walk, tw_slots_overlapping(&p->plan, &accesses[i]));
    }
    if (!(flags & TW_CALL_NO_READ_GLOBALS)) {
        walk_clean(walk, all_slots);
        if (!(flags & TW_CALL_NO_WRITE_GLOBALS)) {
            walk_forget(walk, all_slots);
        }
    }
}

static void walk_insn(TwPlanner *p, TwEdge *walk, uint32_t at, TwInsn insn)
{
    TwEnvAccess access;

    if (tw_env_access(insn, &access)) {
        walk_access(p, walk, at, &access);
    } else if (insn.op == TW_OP_CALL) {
        walk_call(p, walk, at);
    } else if (insn.op == TW_OP_QLDX || insn.op == TW_OP_QSTX) {
        walk_clean(walk, all_slots);
    }
    if (insn.op == TW_OP_LOOKUP && p->words[at].target != NO_TARGET) {
        access = tw_lookup_access(p->plan.group->target);
        walk_access(p, walk, at, &access);
    }
    if (p->words[at].target != NO_TARGET) {
        add_edge(p, walk, at, p->words[at].target);
    }
    if (insn.op == TW_OP_GOTO_TB) {
        walk_clean(walk, all_slots);
    }
}

/* Up to the end of a loop that is not too long, stores wait. */
static void enter_loop(TwPlanner *p, const TwLabel *label)
{
    if (label->loop_end > p->lazy_until &&
        label->loop_end - label->word <= MAX_LAZY_WORDS) {
        p->lazy_until = label->loop_end;
    }
}

static void find_edges(TwPlanner *p)
{
    TwEdge walk;
    bool dead = false;

    start_block(&walk, NO_LABEL);
    p->lazy_until = 0;
    for (uint32_t at = 0; at < p->plan.nwords;) {
        TwInsn insn = tw_insn_at(p->plan.code, at);

        if (p->words[at].info & INFO_TARGET) {
            if (!dead) {
                add_edge(p, &walk, UINT32_MAX - 1, at);
                p->edges[p->nedges - 1].back = false;
            }
            start_block(&walk, p->words[at].label);
            enter_loop(p, &p->labels[p->words[at].label]);
            dead = false;
        }
        if (!dead) {
            walk_insn(p, &walk, at, insn);
            dead = tw_insn_ends(insn);
        }
        at += tw_op_words(insn.op);
    }
}

static void find_wanted(TwPlanner *p)
{
    bool changed = true;

    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (uint32_t i = p->nedges; i-- > 0;) {
            const TwEdge *edge = &p->edges[i];
            uint64_t wanted = p->labels[edge->to].wanted & edge->untouched;

            if (edge->from != NO_LABEL &&
                (wanted & ~p->labels[edge->from].wanted)) {
                p->labels[edge->from].wanted |= wanted;
                changed = true;
            }
        }
    }
}

/* What this edge brings to its label is added to what others brought. */
static void meet(TwPlanner *p, const TwEdge *edge)
{
    TwLabel *to = &p->labels[edge->to];
    uint64_t valid = 0, dirty = 0;

    if (!edge->back && to->loop_end) {
        return;
    }
    if (edge->from != NO_LABEL) {
        valid = p->labels[edge->from].valid;
        dirty = p->labels[edge->from].dirty;
    }
    to->meet_valid &= (valid & edge->kept) | edge->valid;
    to->meet_dirty |= (dirty & edge->kept_dirty) | edge->dirty;
}

/*
 * Decide a label, once the edges from before it were met. True if it changed.
 */
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
static void find_state(TwPlanner *p)
{
    bool changed = true;

    for (uint32_t i = 0; i < p->plan.nlabels; i++) {
        p->labels[i].meet_valid = all_slots;
    }
    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        uint32_t decided = 0;

        changed = false;
        for (uint32_t i = 0; i < p->nedges; i++) {
            const TwEdge *edge = &p->edges[i];

            while (edge->from != NO_LABEL && decided <= edge->from) {
                changed |= decide(&p->labels[decided++]);
            }
            meet(p, edge);
        }
        while (decided < p->plan.nlabels) {
            changed |= decide(&p->labels[decided++]);
        }
    }
}

void tw_plan_slot_flow(TwPlanner *p)
{
    p->nedges = 0;
    find_edges(p);
    find_wanted(p);
    find_state(p);
}
