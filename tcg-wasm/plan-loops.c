/*
 * Loops, and the ways to their labels.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-loops.h"

/* How far do loops reach, and which are around which label? */
static void find_loops(TwPlanner *p)
{
    uint32_t loop = NO_LABEL;

    for (uint32_t i = 0; i < p->nbranches; i++) {
        uint32_t at = p->branches[i], target = p->words[at].target;

        if (target <= at) { /* branches come in order */
            p->labels[p->words[target].label].loop_end =
                at + tw_op_words(tw_insn_at(p->plan.code, at).op);
        }
    }
    for (uint32_t i = 0; i < p->plan.nlabels; i++) {
        TwLabel *label = &p->labels[i];

        while (loop != NO_LABEL && p->labels[loop].loop_end <= label->word) {
            loop = p->labels[loop].owner;
        }
        label->owner = loop;
        if (!label->loop_end) {
            continue;
        }
        for (uint32_t j = i + 1;
             j < p->plan.nlabels && p->labels[j].word < label->loop_end; j++) {
            if (p->labels[j].loop_end > label->loop_end) {
                label->loop_end = p->labels[j].loop_end;
            }
        }
        loop = i;
    }
}

uint32_t tw_entered_loop(const TwPlan *plan, const TwLabel *label, uint32_t at)
{
    uint32_t loop = NO_LABEL;

    for (uint32_t i = label->owner; i != NO_LABEL && plan->labels[i].word > at;
         i = plan->labels[i].owner) {
        loop = i;
    }
    return loop;
}

static void note_source(TwLabel *label, uint32_t at)
{
    label->first_src = at < label->first_src ? at : label->first_src;
}

/* Which blocks are needed, and which labels and loops a dispatcher's? */
static void find_sources(TwPlanner *p)
{
    uint32_t numbers = 0;

    for (uint32_t i = 0; i < p->nbranches; i++) {
        uint32_t at = p->branches[i], target = p->words[at].target;
        TwLabel *label = &p->labels[p->words[target].label];

        if (target <= at) {
            continue;
        }
        note_source(label, at);
        if (tw_entered_loop(&p->plan, label, at) != NO_LABEL) {
            label->number = 1;
        }
        for (uint32_t j = label->owner; j != NO_LABEL && p->labels[j].word > at;
             j = p->labels[j].owner) {
            note_source(&p->labels[j], at);
            p->labels[j].dispatches = true;
        }
    }
    for (uint32_t i = 0; i < p->plan.nlabels; i++) {
        if (p->labels[i].number) {
            p->labels[i].number = ++numbers;
        }
    }
    if (numbers) {
        tw_plan_need(p, TW_PC);
    }
}

void tw_plan_loops(TwPlanner *p)
{
    find_loops(p);
    find_sources(p);
}
