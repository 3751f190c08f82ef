/*
 * queue-scaled: HotSpot's rule. With i entries and b loop iterations, code is
 * compiled if
 *
 *     i > Inv * s  or  (i > MinInv * s and i + b > Comp * s)  or  b > Back * s
 *     s = queue / (LoadFeedback * compilers) + 1
 *
 * so that thresholds rise while compilations are queued up, and the queue is
 * compiled hottest first (compilationPolicy.cpp; HotSpot's last clause is its
 * loop predicate, for on-stack replacement).
 *
 * Here the unit is a TB. Of its executions, b are those by a backward edge: if
 * the TB was chained to from its own or a higher address, as many as that TB
 * was executed; if from itself, all but those of the last TB chained to it from
 * a lower address. The others are i. There is one compiler. LoadFeedback counts
 * TBs, of which dozens make a method: 64 where HotSpot has 5 methods. Other
 * defaults are those of HotSpot's tier 3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

enum { QUEUE = 4096 };

typedef struct Scaled {
    TierBatch batch;            /* the queue */
    uint64_t inv, min_inv, comp, back;
    double feedback;
} Scaled;

/* Indices into the parameters. */
enum {
    PARAM_INV,
    PARAM_MIN_INV,
    PARAM_COMP,
    PARAM_BACK,
    PARAM_FEEDBACK,
    PARAM_SIZE,
    PARAM_WAIT,
};

#define THRESHOLD(param, value, what) \
    { .name = (param), \
      .unit = "executions", \
      .meaning = what, \
      .type = TIER_PARAM_U64, \
      .def.u64 = (value), \
      .min.u64 = 1, \
      .max.u64 = TIER_MAX_COUNTDOWN }

static const TierParam scaled_params[] = {
    THRESHOLD("inv", 200, "compile after so many entries, if no queue"),
    THRESHOLD("min-inv", 100, "or after so many, with iterations over comp"),
    THRESHOLD("comp", 2000, "entries and iterations together"),
    THRESHOLD("back", 60000, "or after so many iterations"),
    {
        .name = "feedback",
        .unit = "TBs",
        .meaning = "so many in the queue double the thresholds",
        .type = TIER_PARAM_U64,
        .def.u64 = 64,
        .min.u64 = 1,
        .max.u64 = QUEUE,
    },
    TIER_DECLARE_SIZE(32),
    TIER_DECLARE_WAIT(10),
    { .name = NULL },
};

static bool scaled_init(void *state, TierEngine *engine,
                        const TierValue *values)
{
    Scaled *self = state;

    (void)engine;
    self->inv = values[PARAM_INV].u64;
    self->min_inv = values[PARAM_MIN_INV].u64;
    self->comp = values[PARAM_COMP].u64;
    self->back = values[PARAM_BACK].u64;
    self->feedback = (double)values[PARAM_FEEDBACK].u64;
    self->batch.size = (uint32_t)values[PARAM_SIZE].u64;
    self->batch.queue = QUEUE;
    self->batch.wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS;
    self->batch.pull = UINT64_MAX;
    return tier_batch_init(&self->batch);
}

/* How often the predicates are looked at. */
static uint32_t notify_every(const Scaled *self)
{
    return (uint32_t)(self->min_inv < self->inv ? self->min_inv : self->inv);
}

static uint32_t scaled_translated(void *state, TierEngine *engine,
                                  const TierTb *tb)
{
    (void)engine;
    (void)tb;
    return notify_every(state);
}

/* How many of @id's @executions are loop iterations. */
static uint64_t iterations(TierEngine *engine, uint32_t id, uint64_t executions)
{
    uint32_t from = tier_group_backward(engine, id);
    uint64_t n;

    if (from == TIER_NO_TB) {
        return 0;
    }
    if (from == id) {
        n = tier_tb_executions(engine, tier_group_forward(engine, id));
        return executions > n ? executions - n : 0;
    }
    n = tier_tb_executions(engine, from);
    return n < executions ? n : executions;
}

static bool wanted(const Scaled *self, uint64_t i, uint64_t b)
{
    double s = (double)self->batch.n / self->feedback + 1;
    double entries = (double)i, loops = (double)b;

    return entries >= (double)self->inv * s ||
           (entries >= (double)self->min_inv * s &&
            entries + loops >= (double)self->comp * s) ||
           loops >= (double)self->back * s;
}

/*
 * Two other TBs tell which of @id's executions @all were iterations, and
 * reading them is slow. So they are not read if it is too early in either case.
 */
static bool is_hot(const Scaled *self, TierEngine *engine, uint32_t id,
                   uint64_t all)
{
    uint64_t b;

    if (!wanted(self, all, all)) {
        return false;
    }
    b = iterations(engine, id, all);
    return wanted(self, all - b, b);
}

static void scaled_hot(void *state, TierEngine *engine, const TierTb *tb,
                       uint32_t executions, TierDecision *decision)
{
    Scaled *self = state;
    uint64_t all = tier_tb_executions(engine, decision->ids[0]);

    (void)tb;
    (void)executions;
    if (!is_hot(self, engine, decision->ids[0], all)) {
        decision->ask_again = notify_every(self);
        decision->why = TIER_REFUSED_WAIT;
        return;
    }
    tier_batch_hot(&self->batch, engine, notify_every(self), decision);
}

static uint32_t scaled_failed(void *state, TierEngine *engine,
                              const uint32_t *ids, uint32_t n, TierRefusal why)
{
    return tier_batch_failed(engine, ids, n, why, notify_every(state));
}

static void scaled_flushed(void *state, TierEngine *engine)
{
    Scaled *self = state;

    (void)engine;
    tier_batch_clear(&self->batch);
}

static void scaled_tick(void *state, TierEngine *engine, TierDecision *decision)
{
    Scaled *self = state;

    tier_batch_tick(&self->batch, engine, decision);
}

static void scaled_fini(void *state)
{
    Scaled *self = state;

    tier_batch_fini(&self->batch);
}

const TierPolicy tier_policy_queue_scaled = {
    .name = "queue-scaled",
    .summary = "thresholds that rise with the compilations that wait",
    .source = "HotSpot, compilationPolicy.cpp, Tier3 thresholds",
    .params = scaled_params,
    .state_size = sizeof(Scaled),
    .init = scaled_init,
    .translated = scaled_translated,
    .linked = tier_group_linked,
    .hot = scaled_hot,
    .failed = scaled_failed,
    .flushed = scaled_flushed,
    .tick = scaled_tick,
    .fini = scaled_fini,
};
