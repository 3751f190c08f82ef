/*
 * threshold: a TB is compiled, alone, when it is entered for the n-th time. The
 * oldest rule there is: what ran often will run often.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../single.h"

typedef struct Threshold {
    uint32_t n;
} Threshold;

/* Indices into the parameters. */
enum { PARAM_N };

static const TierParam threshold_params[] = {
    {
        .name = "n",
        .unit = "executions",
        .meaning = "compile a TB on entering it for the n-th time",
        .type = TIER_PARAM_U64,
        .def.u64 = 1000,
        .min.u64 = 1,
        .max.u64 = TIER_MAX_COUNTDOWN,
    },
    { .name = NULL },
};

static bool threshold_init(void *state, TierEngine *engine,
                           const TierValue *values)
{
    Threshold *self = state;

    (void)engine;
    self->n = (uint32_t)values[PARAM_N].u64;
    return true;
}

static uint32_t threshold_translated(void *state, TierEngine *engine,
                                     const TierTb *tb)
{
    const Threshold *self = state;

    (void)engine;
    (void)tb;
    return self->n;
}

const TierPolicy tier_policy_threshold = {
    .name = "threshold",
    .summary = "compile a TB when it has been executed n times",
    .source =
        "Hansen, Adaptive systems for the dynamic run-time optimization of "
        "programs, 1974",
    .params = threshold_params,
    .state_size = sizeof(Threshold),
    .init = threshold_init,
    .translated = threshold_translated,
    .hot = tier_single_hot,
};
