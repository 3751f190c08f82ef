/*
 * Which members of a group are in which region function, and in what order
 * their code stands there. This is planned by the group's graph alone, without
 * any knowledge of bytecode or Wasm.
 *
 * A *region* has one entry, its *head*, and holds members that are reachable
 * from the head. Heads are loop headers; members that no goto_tb of the group
 * leads to (call targets and returns, which goto_ptr leads to); and the group's
 * first member. A member may be in several regions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_REGION_H
#define TW_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TW_NO_MEMBER = UINT32_MAX };

/* Edges of a member: its exits 0 and 1, and where goto_ptr is likely to go. */
enum { TW_REGION_GOTO_PTR = 2, TW_REGION_EDGES };

typedef struct TwRegionNode {
    uint32_t words;
    uint32_t succ[TW_REGION_EDGES];     /* members, or TW_NO_MEMBER */
} TwRegionNode;

typedef struct TwRegionLimits {
    uint32_t region_words;  /* per region; a head alone may be larger */
    uint64_t total_words;   /* of all regions; heads alone may be more */
    /* ... up to which a region also takes what is behind other heads. */
    uint64_t across_words;
} TwRegionLimits;

/* Region of member h: members[start[h] .. start[h] + count[h]), h first. */
typedef struct TwRegionPlan {
    uint32_t *members;
    uint32_t *start;
    uint32_t *count;        /* 0: not a head */
    uint32_t nmembers;      /* of all regions */
    uint32_t members_cap;
} TwRegionPlan;

/*
 * Plan the regions of the graph @nodes, of @n members. In a region, the members
 * of a loop stand together behind its header, and so do those of loops inside
 * it. If the graph is reducible, an edge that goes back leads to the header of
 * a loop around its source. False if memory is short; then *@plan is empty.
 */
bool tw_region_plan(const TwRegionNode *nodes, uint32_t n,
                    const TwRegionLimits *limits, TwRegionPlan *plan);

void tw_region_plan_free(TwRegionPlan *plan);

#endif
