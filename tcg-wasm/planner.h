/*
 * What the passes of planning work on: the plan, its arrays while they are
 * being filled, and working memory that is only theirs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLANNER_H
#define TW_PLANNER_H

#include "plan-regions.h"
#include "plan.h"

/* A way to a label, and what happens to slots on the way from its block. */
typedef struct TwEdge {
    uint32_t from; /* label that starts the block, or NO_LABEL */
    uint32_t to; /* label */
    bool back;
    uint64_t untouched; /* neither read, written nor forgotten */
    uint64_t kept; /* as valid as at the start, or more: */
    uint64_t valid;
    uint64_t kept_dirty; /* as dirty as at the start, or more: */
    uint64_t dirty;
} TwEdge;

typedef struct TwPlanner {
    TwPlan plan;
    const TwRegions *regions; /* or NULL: each function is one TB's */

    /* The plan's arrays, to write to. */
    TwWord *words;
    TwLabel *labels;
    TwSegment *segments;
    uint8_t *slot_of;

    uint64_t *joined; /* code of a region */
    uint32_t *start_of; /* per member: its segment's start, or NO_TARGET */
    uint32_t *branches; /* words with branches */
    uint32_t nbranches;
    TwEdge *edges; /* in the order of the code */
    uint32_t nedges;
    /* During plan-slot-flow.c's walk: stores wait so far. */
    uint32_t lazy_until;
} TwPlanner;

static inline void tw_plan_need(TwPlanner *p, TwScratch scratch)
{
    p->plan.scratch_used |= 1u << scratch;
}

#endif
