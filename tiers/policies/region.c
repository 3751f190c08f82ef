/*
 * region: hot TBs become regions, compiled as functions with control flow. From
 * the hottest TB that waits on, a region grows along the edges of the control
 * flow graph, to successors and to predecessors, as long as what it meets was
 * executed share * n times at least, up to `max` members; then from the next.
 * Regions that are ready at the same time share a module.
 *
 * The rule is that of Hank, Hwu and Rau, Region-based compilation: an
 * introduction and motivation, MICRO-28, 1995: a seed, the most frequently
 * executed block, and growth to blocks of at least a share of its weight.
 * Suganuma, Yasue, Nakatani (A region-based compilation technique for a Java
 * just-in-time compiler, PLDI 2003) leave rare code out in the same way.
 *
 * Defaults: as for batch. A region costs more than functions do, and wants its
 * loops whole, hence the smaller share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

enum { REGIONS_IN_GROUP = 8 };  /* of the greatest size, at most */

/* Indices into the parameters. */
enum {
    PARAM_N,
    PARAM_SIZE,
    PARAM_WAIT,
    PARAM_PATIENCE,
    PARAM_SHARE,
    PARAM_MAX
};

static const TierParam region_params[] = {
    TIER_DECLARE_N(1000, "a TB executed so often may begin a region"),
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(50),
    TIER_DECLARE_PATIENCE(5000),
    TIER_DECLARE_SHARE(0.1),
    TIER_DECLARE_MAX(64, "members of a region"),
    { .name = NULL },
};

static uint32_t at_most(uint64_t n, uint32_t limit)
{
    return n < limit ? (uint32_t)n : limit;
}

static bool region_init(void *state, TierEngine *engine,
                        const TierValue *values)
{
    TierOneBatch *self = state;
    uint64_t max = values[PARAM_MAX].u64;

    (void)engine;
    self->n = (uint32_t)values[PARAM_N].u64;
    self->batch.size = (uint32_t)values[PARAM_SIZE].u64;
    self->batch.reach = (uint32_t)max;
    self->batch.max = at_most(REGIONS_IN_GROUP * max, TIER_MAX_GROUP);
    self->batch.wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS;
    self->batch.patience = (uint32_t)values[PARAM_PATIENCE].u64;
    self->batch.by = TIER_BY_EDGES;
    self->batch.pull = tier_share_of(values[PARAM_SHARE].number, self->n);
    self->batch.shape = TIER_REGIONS;
    return tier_batch_init(&self->batch);
}

const TierPolicy tier_policy_region = {
    .name = "region",
    .summary = "compile hot TBs and what they are chained with to regions",
    .source = "Hank, Hwu and Rau, MICRO-28, 1995",
    .params = region_params,
    .state_size = sizeof(TierOneBatch),
    .init = region_init,
    .translated = tier_one_batch_translated,
    .linked = tier_group_linked,
    .hot = tier_one_batch_hot,
    .failed = tier_one_batch_failed,
    .flushed = tier_one_batch_flushed,
    .tick = tier_one_batch_tick,
    .fini = tier_one_batch_fini,
};
