/*
 * sampled: each execution promotes its TB with probability p. A random control:
 * it prefers hot code, as a profiler that samples does, but knows no threshold.
 *
 * Instead of a random number per execution there is one per TB: the number of
 * trials until the first success is geometric, and that is the countdown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../single.h"

typedef struct Sampled {
    double p;
    TierRng rng;
} Sampled;

/* Indices into the parameters. */
enum { PARAM_P, PARAM_SEED };

/* With p from 1e-6 a countdown over the maximum is not drawn: (1 - p)^1e9. */
static const TierParam sampled_params[] = {
    {
        .name = "p",
        .unit = "",
        .meaning = "probability that one execution promotes its TB",
        .type = TIER_PARAM_DOUBLE,
        .def.number = 0.001,
        .min.number = 1e-6,
        .max.number = 1,
    },
    {
        .name = "seed",
        .unit = "",
        .meaning = "of the random numbers; 0: the run's seed",
        .type = TIER_PARAM_U64,
        .def.u64 = 0,
        .min.u64 = 0,
        .max.u64 = TIER_PARAM_U64_LIMIT,
    },
    { .name = NULL },
};

static bool sampled_init(void *state, TierEngine *engine,
                         const TierValue *values)
{
    Sampled *self = state;
    uint64_t seed = values[PARAM_SEED].u64;

    self->p = values[PARAM_P].number;
    tier_rng_seed(&self->rng, seed ? seed : tier_seed(engine));
    return true;
}

static uint32_t sampled_translated(void *state, TierEngine *engine,
                                   const TierTb *tb)
{
    Sampled *self = state;

    (void)engine;
    (void)tb;
    return (uint32_t)tier_rng_geometric(&self->rng, self->p);
}

const TierPolicy tier_policy_sampled = {
    .name = "sampled",
    .summary = "compile a TB with probability p at each execution",
    .source = "baseline: random control",
    .params = sampled_params,
    .state_size = sizeof(Sampled),
    .init = sampled_init,
    .translated = sampled_translated,
    .hot = tier_single_hot,
};
