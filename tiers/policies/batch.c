/*
 * batch: TBs that were executed n times wait for others, and are compiled
 * together: when `size` of them wait, one has waited `wait` ms, or one was
 * executed `patience` times while it waited. The engine's cost of a module is
 * paid once for all members, they call each other directly, and their code is
 * together in memory. The price is the waiting.
 *
 * By edges, a group also takes in the TBs that its members are chained with, if
 * they were executed share * n times at least: they would be hot soon, and
 * jumps to them stay in the module.
 *
 * Batches of hot code come from trace and region caches, which group what is
 * executed together: Dynamo's fragments (Bala et al., PLDI 2000). That hot
 * code is queued and compiled together by heat is in Boehm et al., Generalized
 * just-in-time trace compilation using a parallel task farm in a dynamic binary
 * translator, PLDI 2011.
 *
 * Patience is the ski rental rule. Waiting costs the time that tier 0 loses
 * meanwhile; not waiting costs one module more. Who waits until both costs are
 * equal pays at most twice the least possible (Karlin et al., Competitive
 * snoopy caching, 1988).
 *
 * Defaults: a TB costs about 15 us in a group and an execution saves 50 ns, so
 * it has paid for itself after another 300. But most TBs of a boot stop soon
 * after they have been executed as often, and what is compiled also waits for
 * the engine: boots are shortest at three times that and beyond (decision 26).
 * A module costs 100 us, 2,000 executions, and neighbours that come along are
 * worth some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

/* Indices into the parameters. */
enum {
    PARAM_N,
    PARAM_SIZE,
    PARAM_WAIT,
    PARAM_PATIENCE,
    PARAM_BY,
    PARAM_SHARE,
    PARAM_MAX,
    PARAM_SHAPE,
};

static const TierParam batch_params[] = {
    TIER_DECLARE_N(1000, "a TB executed so often waits for compilation"),
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(50),
    TIER_DECLARE_PATIENCE(5000),
    TIER_DECLARE_BY(TIER_BY_EDGES),
    TIER_DECLARE_SHARE(0.25),
    TIER_DECLARE_MAX(128, "members of a group, with neighbours"),
    TIER_DECLARE_SHAPE(TIER_FUNCTIONS),
    { .name = NULL },
};

static bool batch_init(void *state, TierEngine *engine, const TierValue *values)
{
    TierOneBatch *self = state;

    (void)engine;
    self->n = (uint32_t)values[PARAM_N].u64;
    self->batch.size = (uint32_t)values[PARAM_SIZE].u64;
    self->batch.max = (uint32_t)values[PARAM_MAX].u64;
    self->batch.wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS;
    self->batch.patience = (uint32_t)values[PARAM_PATIENCE].u64;
    self->batch.by = (TierComposition)values[PARAM_BY].choice;
    self->batch.pull = tier_share_of(values[PARAM_SHARE].number, self->n);
    self->batch.shape = (TierShape)values[PARAM_SHAPE].choice;
    return tier_batch_init(&self->batch);
}

const TierPolicy tier_policy_batch = {
    .name = "batch",
    .summary = "compile hot TBs together, many in a module",
    .source = "Bala et al., PLDI 2000; Boehm et al., PLDI 2011",
    .params = batch_params,
    .state_size = sizeof(TierOneBatch),
    .init = batch_init,
    .translated = tier_one_batch_translated,
    .linked = tier_group_linked,
    .hot = tier_one_batch_hot,
    .failed = tier_one_batch_failed,
    .flushed = tier_one_batch_flushed,
    .tick = tier_one_batch_tick,
    .fini = tier_one_batch_fini,
};
