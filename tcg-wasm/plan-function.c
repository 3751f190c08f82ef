/*
 * The function's code is put together, then the passes go over it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-function.h"

#include <stdlib.h>

#include "plan-live.h"
#include "plan-locals.h"
#include "plan-loops.h"
#include "plan-pages.h"
#include "plan-scan.h"
#include "plan-slot-flow.h"

/* Memory that grows with the group. */
static bool allocate_members(TwPlanner *p, const TwGroup *group)
{
    uint32_t nglobals = group->target->nglobals;

    p->segments = malloc((group->ntbs + 1) * sizeof(p->segments[0]));
    p->start_of = malloc((group->ntbs + 1) * sizeof(p->start_of[0]));
    p->slot_of = malloc(nglobals + 1);
    if (!p->segments || !p->start_of || !p->slot_of) {
        return false;
    }
    memset(p->start_of, 0xff, group->ntbs * sizeof(p->start_of[0]));
    memset(p->slot_of, NO_SLOT, nglobals);
    return true;
}

/* Memory for the largest function. */
static bool allocate_words(TwPlanner *p, uint32_t words)
{
    p->words = malloc(words * sizeof(p->words[0]));
    p->labels = malloc(words * sizeof(p->labels[0]));
    p->branches = malloc(words * sizeof(p->branches[0]));
    if (p->regions) {
        p->joined = malloc(words * sizeof(p->joined[0]));
        /* A word may be a branch, and be fallen into. */
        p->edges = malloc(2 * (size_t)words * sizeof(p->edges[0]));
        if (!p->joined || !p->edges) {
            return false;
        }
    }
    return p->words && p->labels && p->branches;
}

bool tw_planner_init(TwPlanner *p, const TwGroup *group,
                     const TwRegions *regions, uint32_t max_words)
{
    *p = (TwPlanner){ .regions = regions };
    if (!allocate_members(p, group) || !allocate_words(p, max_words)) {
        return false;
    }
    p->plan.group = group;
    p->plan.segments = p->segments;
    p->plan.words = p->words;
    p->plan.labels = p->labels;
    p->plan.slot_of = p->slot_of;
    return true;
}

void tw_planner_free(TwPlanner *p)
{
    free(p->segments);
    free(p->start_of);
    free(p->slot_of);
    free(p->words);
    free(p->labels);
    free(p->branches);
    free(p->joined);
    free(p->edges);
}

static void add_segment(TwPlanner *p, uint32_t member)
{
    const TwTbRef *tb = &p->plan.group->tbs[member];

    p->segments[p->plan.nsegments++] = (TwSegment){ tb, p->plan.nwords };
    p->start_of[member] = p->plan.nwords;
    p->plan.nwords += tb->nwords;
}

/* The code of a region: that of its members, one behind the other. */
static void join(TwPlanner *p, const uint32_t *members, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const TwTbRef *tb = &p->plan.group->tbs[members[i]];

        add_segment(p, members[i]);
        memcpy(&p->joined[p->start_of[members[i]]], tb->code,
               tb->nwords * sizeof(p->joined[0]));
    }
    p->plan.code = p->joined;
}

/* Make the code of the function of @member. */
static void set_code(TwPlanner *p, uint32_t member)
{
    const TwRegions *regions = p->regions;
    bool joins = regions && tw_regions_joins(regions, member);

    p->plan.nsegments = 0;
    p->plan.nwords = 0;
    if (joins) {
        join(p, &regions->plan.members[regions->plan.start[member]],
             regions->plan.count[member]);
    } else {
        add_segment(p, member);
        p->plan.code = p->plan.group->tbs[member].code;
    }
    p->plan.caching = p->plan.group->target->nglobals && regions &&
                      (joins || (regions->plan.count[member] &&
                                 tw_regions_loops(regions, member)));
}

static void forget_segments(TwPlanner *p)
{
    for (uint32_t i = 0; i < p->plan.nsegments; i++) {
        p->start_of[p->segments[i].tb - p->plan.group->tbs] = NO_TARGET;
    }
}

const TwPlan *tw_plan_function(TwPlanner *p, uint32_t member)
{
    set_code(p, member);
    tw_plan_scan(p);
    tw_plan_loops(p);
    tw_plan_live(p);
    if (p->plan.nslots) {
        tw_plan_slot_flow(p);
    }
    if (p->plan.group->options->keeps_pages) {
        tw_plan_pages(p);
    }
    tw_plan_locals(p);
    forget_segments(p);
    return &p->plan;
}
