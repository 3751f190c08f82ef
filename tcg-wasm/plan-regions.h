/*
 * Which members are in which region function, for a group in that shape: the
 * group's graph, made from its bytecode, and what region.h plans for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_REGIONS_H
#define TW_PLAN_REGIONS_H

#include "emit-group.h"
#include "region.h"

/* Zero-initialise. */
typedef struct TwRegions {
    TwRegionNode *nodes;
    TwRegionPlan plan;
} TwRegions;

/* False if memory is short. tw_regions_free() in either case. */
bool tw_regions_plan(TwRegions *regions, const TwGroup *group);
void tw_regions_free(TwRegions *regions);

/* Words of the longest region. */
uint32_t tw_regions_max_words(const TwRegions *regions, const TwGroup *group);

/* Is the function of @member a region of several members? */
static inline bool tw_regions_joins(const TwRegions *regions, uint32_t member)
{
    return regions->plan.count[member] > 1;
}

/* Does an exit of @member lead back to @member? */
bool tw_regions_loops(const TwRegions *regions, uint32_t member);

#endif
