/*
 * tiered: a TB is compiled to a function at its n-th execution and, if that is
 * then executed n2 times more, again as part of a region: cheap code early, and
 * dear code where it pays. Both are compiled in batches.
 *
 * The two-step rule is that of Self (Hoelzle and Ungar, A third-generation Self
 * implementation, OOPSLA 1994) and of HotSpot's tiers 3 and 4. Where the
 * runtime does not count in compiled code, nothing is ever asked there, and the
 * policy is batch.
 *
 * Defaults: n as for batch; n2 is ten times of what a region costs more (about
 * 15 us a TB) over what it saves (some 5 ns an execution).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

typedef struct Tiered {
    uint32_t n, n2;
    TierBatch first;            /* to functions */
    TierBatch second;           /* to regions */
} Tiered;

/* Indices into the parameters. */
enum { PARAM_N, PARAM_N2, PARAM_SIZE, PARAM_WAIT, PARAM_SHARE, PARAM_MAX };

static const TierParam tiered_params[] = {
    TIER_DECLARE_N(1000, "compile a TB to a function when executed so often"),
    {
        .name = "n2",
        .unit = "executions",
        .meaning = "and to a region when its function was so often",
        .type = TIER_PARAM_U64,
        .def.u64 = 30000,
        .min.u64 = 1,
        .max.u64 = TIER_MAX_COUNTDOWN,
    },
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(50),
    TIER_DECLARE_SHARE(0.25),
    TIER_DECLARE_MAX(128, "members of a group, with neighbours"),
    { .name = NULL },
};

static bool tiered_init(void *state, TierEngine *engine,
                        const TierValue *values)
{
    Tiered *self = state;
    TierBatch rules = {
        .size = (uint32_t)values[PARAM_SIZE].u64,
        .max = (uint32_t)values[PARAM_MAX].u64,
        .wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS,
        .by = TIER_BY_EDGES,
    };

    (void)engine;
    self->n = (uint32_t)values[PARAM_N].u64;
    self->n2 = (uint32_t)values[PARAM_N2].u64;
    self->first = rules;
    self->first.pull = tier_share_of(values[PARAM_SHARE].number, self->n);
    self->second = rules;
    self->second.number = 1;
    self->second.shape = TIER_REGIONS;
    self->second.pull = tier_share_of(values[PARAM_SHARE].number, self->n2);
    if (!tier_batch_init(&self->first)) {
        return false;
    }
    if (!tier_batch_init(&self->second)) {
        tier_batch_fini(&self->first);
        return false;
    }
    return true;
}

static uint32_t tiered_translated(void *state, TierEngine *engine,
                                  const TierTb *tb)
{
    const Tiered *self = state;

    (void)engine;
    (void)tb;
    return self->n;
}

static void tiered_hot(void *state, TierEngine *engine, const TierTb *tb,
                       uint32_t executions, TierDecision *decision)
{
    Tiered *self = state;
    bool again = tier_tb_tier(engine, decision->ids[0]) > 0;

    (void)tb;
    (void)executions;
    tier_batch_hot(again ? &self->second : &self->first, engine,
                   again ? self->n2 : self->n, decision);
}

static uint32_t tiered_compiled(void *state, TierEngine *engine,
                                const uint32_t *ids, uint32_t n,
                                const TierCost *cost)
{
    const Tiered *self = state;

    (void)engine;
    (void)ids;
    (void)n;
    return cost->shape == TIER_FUNCTIONS ? self->n2 : TIER_NEVER_ASK;
}

static uint32_t tiered_failed(void *state, TierEngine *engine,
                              const uint32_t *ids, uint32_t n, TierRefusal why)
{
    const Tiered *self = state;

    return tier_batch_failed(engine, ids, n, why, self->n);
}

static void tiered_flushed(void *state, TierEngine *engine)
{
    Tiered *self = state;

    (void)engine;
    tier_batch_clear(&self->first);
    tier_batch_clear(&self->second);
}

static void tiered_tick(void *state, TierEngine *engine, TierDecision *decision)
{
    Tiered *self = state;

    tier_batch_tick(&self->first, engine, decision);
    if (decision->tier == 0) {
        tier_batch_tick(&self->second, engine, decision);
    }
}

static void tiered_fini(void *state)
{
    Tiered *self = state;

    tier_batch_fini(&self->first);
    tier_batch_fini(&self->second);
}

const TierPolicy tier_policy_tiered = {
    .name = "tiered",
    .summary = "functions first, regions for what stays hot",
    .source = "Hoelzle and Ungar, OOPSLA 1994",
    .params = tiered_params,
    .state_size = sizeof(Tiered),
    .init = tiered_init,
    .translated = tiered_translated,
    .linked = tier_group_linked,
    .hot = tiered_hot,
    .compiled = tiered_compiled,
    .failed = tiered_failed,
    .flushed = tiered_flushed,
    .tick = tiered_tick,
    .fini = tiered_fini,
};
