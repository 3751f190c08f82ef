/*
 * profile: what an earlier run of the same guest executed often is compiled
 * early, in batches; the rest when it is hot after all, later than without a
 * profile, or never. TBs are known again by the hash of their guest code.
 *
 * Profiles of earlier runs to choose what is compiled at the start: Arnold,
 * Welc, Rajan, Improving virtual machine performance using a cross-run profile
 * repository, OOPSLA 2005. Reusing translations across runs by hash of the
 * guest code: Reddi, Connors, Cohn, Smith, Persistent code caching, CGO 2007.
 *
 * Defaults: what the profile has ten times as often as a TB needs to pay for
 * itself (see batch) is compiled as soon as it has shown that it is needed this
 * time too; at its first execution, it would come before the code that leads to
 * it and wait in modules with little beside it. What the profile does not know
 * is probably cold, so it has to prove itself for longer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"
#include "../profile.h"

#include <stdio.h>

typedef struct Seeded {
    TierOneBatch base;          /* its n is the fallback */
    uint32_t first;
    uint64_t least;             /* executions in the profile */
    TierProfile profile;
} Seeded;

/* Indices into the parameters. */
enum {
    PARAM_FROM,
    PARAM_N,
    PARAM_FIRST,
    PARAM_FALLBACK,
    PARAM_SIZE,
    PARAM_WAIT,
    PARAM_PATIENCE,
    PARAM_BY,
    PARAM_SHARE,
    PARAM_MAX,
    PARAM_SHAPE,
};

static const TierParam profile_params[] = {
    {
        .name = "from",
        .unit = "",
        .meaning = "the profile's file; without one nothing is predicted",
        .type = TIER_PARAM_TEXT,
        .def.text = "",
    },
    TIER_DECLARE_N(3000, "predict TBs to be hot that the profile has so often"),
    {
        .name = "first",
        .unit = "executions",
        .meaning = "those wait for compilation from this one on",
        .type = TIER_PARAM_U64,
        .def.u64 = 300,
        .min.u64 = 1,
        .max.u64 = TIER_MAX_COUNTDOWN,
    },
    {
        .name = "fallback",
        .unit = "executions",
        .meaning = "others wait from this one on; 0: never",
        .type = TIER_PARAM_U64,
        .def.u64 = 3000,
        .min.u64 = 0,
        .max.u64 = TIER_MAX_COUNTDOWN,
    },
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(20),
    TIER_DECLARE_PATIENCE(1000),
    TIER_DECLARE_BY(TIER_BY_EDGES),
    TIER_DECLARE_SHARE(0.25),
    TIER_DECLARE_MAX(128, "members of a group, with neighbours"),
    TIER_DECLARE_SHAPE(TIER_REGIONS),
    { .name = NULL },
};

static void profile_fini(void *state)
{
    Seeded *self = state;

    tier_profile_free(&self->profile);
    tier_batch_fini(&self->base.batch);
}

static bool read_profile(Seeded *self, TierEngine *engine, const char *path)
{
    char err[512];

    if (path[0] == '\0' || tier_profile_read(&self->profile, path, self->least,
                                             err, sizeof(err))) {
        return true;
    }
    tier_init_error(engine, err);
    return false;
}

static bool profile_init(void *state, TierEngine *engine,
                         const TierValue *values)
{
    Seeded *self = state;
    TierBatch *batch = &self->base.batch;

    self->base.n = (uint32_t)values[PARAM_FALLBACK].u64;
    self->least = values[PARAM_N].u64;
    self->first = (uint32_t)values[PARAM_FIRST].u64;
    batch->size = (uint32_t)values[PARAM_SIZE].u64;
    batch->max = (uint32_t)values[PARAM_MAX].u64;
    batch->wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS;
    batch->patience = (uint32_t)values[PARAM_PATIENCE].u64;
    batch->by = (TierComposition)values[PARAM_BY].choice;
    batch->pull = tier_share_of(values[PARAM_SHARE].number, self->least);
    batch->shape = (TierShape)values[PARAM_SHAPE].choice;
    if (!tier_batch_init(batch) ||
        !read_profile(self, engine, values[PARAM_FROM].text)) {
        profile_fini(self);
        return false;
    }
    return true;
}

static uint32_t profile_translated(void *state, TierEngine *engine,
                                   const TierTb *tb)
{
    const Seeded *self = state;
    bool hot = tier_profile_executions(&self->profile, tb->hash) >= self->least;

    (void)engine;
    return hot ? self->first : self->base.n;
}

const TierPolicy tier_policy_profile = {
    .name = "profile",
    .summary = "compile early what an earlier run executed often",
    .source = "Arnold et al., OOPSLA 2005; Reddi et al., CGO 2007",
    .params = profile_params,
    .state_size = sizeof(Seeded),
    .init = profile_init,
    .translated = profile_translated,
    .linked = tier_group_linked,
    .hot = tier_one_batch_hot,
    .failed = tier_one_batch_failed,
    .flushed = tier_one_batch_flushed,
    .tick = tier_one_batch_tick,
    .fini = profile_fini,
};
