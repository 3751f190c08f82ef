/*
 * template: the file to copy for a policy of your own, which CONTRIBUTING.md
 * explains. The policy compiles a TB, alone, when the TB is entered for the
 * n-th time, but only if the TB is small: the rule of threshold, with a bound
 * on what a compilation may cost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../policy.h"

typedef struct Template {
    uint32_t n, max;
} Template;

enum { PARAM_N, PARAM_MAX }; /* indices into the parameters */

static const TierParam template_params[] = {
    {
        .name = "n",
        .unit = "executions",
        .meaning = "compile a TB on entering it for the n-th time",
        .type = TIER_PARAM_U64,
        .def.u64 = 500,
        .min.u64 = 1,
        .max.u64 = TIER_MAX_COUNTDOWN,
    },
    {
        .name = "max",
        .unit = "bytes",
        .meaning = "leave TBs with more bytecode alone",
        .type = TIER_PARAM_U64,
        .def.u64 = 4000,
        .max.u64 = 1000000,
    },
    { .name = NULL },
};

static bool template_init(void *state, TierEngine *engine,
                          const TierValue *values)
{
    Template *self = state;

    (void)engine;
    self->n = (uint32_t)values[PARAM_N].u64;
    self->max = (uint32_t)values[PARAM_MAX].u64;
    return true;
}

static uint32_t template_translated(void *state, TierEngine *engine,
                                    const TierTb *tb)
{
    const Template *self = state;

    (void)engine;
    return tb->bytecode_bytes <= self->max ? self->n : TIER_NEVER_ASK;
}

static void template_hot(void *state, TierEngine *engine, const TierTb *tb,
                         uint32_t executions, TierDecision *decision)
{
    (void)state;
    (void)engine;
    (void)tb;
    (void)executions;
    decision->tier = 1;
}

const TierPolicy tier_policy_template = {
    .name = "template",
    .summary = "to copy: compile small TBs when they are hot",
    .source = "baseline",
    .params = template_params,
    .state_size = sizeof(Template),
    .init = template_init,
    .translated = template_translated,
    .hot = template_hot,
};
