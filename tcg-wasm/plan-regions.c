/*
 * From bytecode to the graph that region.c plans, and the limits on regions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-regions.h"

#include <stdlib.h>

#include "insn.h"

enum {
    MAX_REGION_WORDS = 8000, /* of one region */
    REGIONS_PERCENT = 200, /* of all regions, in percent of the group's words */
    ACROSS_PERCENT = 125, /* see TwRegionLimits.across_words */
};

/* A TB has at most one jump by a hint that matters: GOTO_PTR or LOOKUP. */
static void find_edges(TwRegions *regions, const TwGroup *group,
                       uint32_t member)
{
    const TwTbRef *tb = &group->tbs[member];
    TwRegionNode *node = &regions->nodes[member];

    *node = (TwRegionNode){
        tb->nwords,
        { TW_NO_MEMBER, TW_NO_MEMBER, TW_NO_MEMBER },
    };
    for (uint32_t at = 0, to; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(tb->code, at);

        if (tw_find_successor(group, tb, &tb->code[at], &to)) {
            node->succ[insn.op == TW_OP_GOTO_TB ? insn.a : TW_REGION_GOTO_PTR] =
                to;
        }
        at += tw_op_words(insn.op);
    }
}

bool tw_regions_plan(TwRegions *regions, const TwGroup *group)
{
    uint32_t n = (uint32_t)group->ntbs;
    TwRegionLimits limits = { .region_words = MAX_REGION_WORDS };
    uint64_t words = 0;

    regions->nodes = malloc((n + 1) * sizeof(regions->nodes[0]));
    if (!regions->nodes) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        find_edges(regions, group, i);
        words += regions->nodes[i].words;
    }
    limits.total_words = words * REGIONS_PERCENT / 100;
    limits.across_words = words * ACROSS_PERCENT / 100;
    return tw_region_plan(regions->nodes, n, &limits, &regions->plan);
}

void tw_regions_free(TwRegions *regions)
{
    tw_region_plan_free(&regions->plan);
    free(regions->nodes);
    regions->nodes = NULL;
}

static uint32_t region_words(const TwRegions *regions, uint32_t head)
{
    const TwRegionPlan *plan = &regions->plan;
    uint32_t words = 0;

    for (uint32_t i = 0; i < plan->count[head]; i++) {
        words += regions->nodes[plan->members[plan->start[head] + i]].words;
    }
    return words;
}

uint32_t tw_regions_max_words(const TwRegions *regions, const TwGroup *group)
{
    uint32_t max = 0;

    for (uint32_t i = 0; i < group->ntbs; i++) {
        uint32_t words = region_words(regions, i);

        max = words > max ? words : max;
    }
    return max;
}

bool tw_regions_loops(const TwRegions *regions, uint32_t member)
{
    const TwRegionNode *node = &regions->nodes[member];

    return node->succ[0] == member || node->succ[1] == member ||
           node->succ[TW_REGION_GOTO_PTR] == member;
}
