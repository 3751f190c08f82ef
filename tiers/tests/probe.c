/*
 * The probe policy. "quiet" is its opposite: every callback NULL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "probe.h"

#include <string.h>

Probe probe;

void probe_reset(void)
{
    memset(&probe, 0, sizeof(probe));
}

static const char *const words[] = { "first", "second", NULL };

static const TierParam probe_params[] = {
    {
        .name = "u",
        .unit = "things",
        .meaning = "a whole number",
        .type = TIER_PARAM_U64,
        .def.u64 = 3,
        .max.u64 = 10,
    },
    {
        .name = "d",
        .unit = "",
        .meaning = "a number",
        .type = TIER_PARAM_DOUBLE,
        .def.number = 0.5,
        .min.number = -1,
        .max.number = 1,
    },
    {
        .name = "b",
        .unit = "",
        .meaning = "a switch",
        .type = TIER_PARAM_BOOL,
        .def.on = true,
    },
    {
        .name = "e",
        .unit = "",
        .meaning = "a choice",
        .type = TIER_PARAM_ENUM,
        .choices = words,
        .def.choice = 1,
    },
    { .name = NULL },
};

typedef struct State {
    uint64_t zero;
} State;

static bool probe_init(void *state, TierEngine *engine, const TierValue *values)
{
    const State *self = state;

    (void)engine;
    probe.inits++;
    memcpy(probe.values, values, sizeof(probe.values));
    return !probe.init_fails && self->zero == 0;
}

static uint32_t probe_translated(void *state, TierEngine *engine,
                                 const TierTb *tb)
{
    (void)state;
    (void)engine;
    probe.translated++;
    probe.tb = *tb;
    return probe.countdown;
}

static void answer(TierDecision *d)
{
    probe.preset_n = d->n;
    d->tier = probe.tier;
    d->shape = probe.shape;
    d->ask_again = probe.ask_again;
    d->why = probe.why;
    if (probe.n > 0) {
        d->n = probe.n;
        memcpy(d->ids, probe.ids, probe.n * sizeof(d->ids[0]));
    }
}

static void probe_hot(void *state, TierEngine *engine, const TierTb *tb,
                      uint32_t executions, TierDecision *decision)
{
    (void)state;
    (void)engine;
    probe.hot++;
    probe.tb = *tb;
    probe.executions = executions;
    answer(decision);
}

static uint32_t probe_compiled(void *state, TierEngine *engine,
                               const uint32_t *ids, uint32_t n,
                               const TierCost *cost)
{
    (void)state;
    (void)engine;
    (void)ids;
    (void)n;
    probe.compiled++;
    probe.cost = *cost;
    return probe.countdown;
}

static uint32_t probe_failed(void *state, TierEngine *engine,
                             const uint32_t *ids, uint32_t n, TierRefusal why)
{
    (void)state;
    (void)engine;
    (void)ids;
    (void)n;
    probe.failed++;
    probe.failed_why = why;
    return probe.countdown;
}

static uint32_t probe_demoted(void *state, TierEngine *engine, const TierTb *tb)
{
    (void)state;
    (void)engine;
    (void)tb;
    probe.demoted++;
    return probe.countdown;
}

static void probe_invalidated(void *state, TierEngine *engine, const TierTb *tb)
{
    (void)state;
    (void)engine;
    probe.invalidated++;
    probe.tb = *tb;
}

static void probe_flushed(void *state, TierEngine *engine)
{
    (void)state;
    (void)engine;
    probe.flushed++;
}

static void probe_tick(void *state, TierEngine *engine, TierDecision *decision)
{
    (void)state;
    (void)engine;
    probe.ticks++;
    answer(decision);
}

static void probe_fini(void *state)
{
    (void)state;
    probe.finis++;
}

static const TierPolicy probe_policy = {
    .name = "probe",
    .summary = "notes what it is told",
    .source = "test",
    .params = probe_params,
    .state_size = sizeof(State),
    .init = probe_init,
    .translated = probe_translated,
    .hot = probe_hot,
    .compiled = probe_compiled,
    .failed = probe_failed,
    .demoted = probe_demoted,
    .invalidated = probe_invalidated,
    .flushed = probe_flushed,
    .tick = probe_tick,
    .fini = probe_fini,
};

static const TierPolicy quiet_policy = {
    .name = "quiet",
    .summary = "has no callbacks",
    .source = "test",
};

const TierPolicy *const tier_policies[] = {
    &probe_policy,
    &quiet_policy,
    NULL,
};
