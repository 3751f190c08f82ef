/*
 * cost-benefit: Jikes RVM's rule. A TB is expected to run in the future for as
 * long as it did in the past, and is compiled at the level l that makes
 *
 *     T * speed(present) / speed(l) + cost(l)
 *
 * least, T being the past time at the present level, if that is less than T
 * itself (Arnold, Fink, Grove, Hind, Sweeney, Adaptive optimization in the
 * Jalapeno JVM, OOPSLA 2000).
 *
 * Levels are the interpreter, functions and regions. Where Jikes samples, time
 * is executions times guest instructions times ns per instruction. A TB is
 * asked about when the cheapest level would pay; TBs that are to be compiled
 * wait for each other in a batch, one for each level, because costs are those
 * of groups. Costs follow what compilations of that level really cost, per KiB
 * of bytecode: a moving average, as Jikes calibrates its compilers.
 *
 * Defaults are measured: 9 ns per guest instruction interpreted, compiled code
 * 4 times as fast, 15 us for a TB of 256 bytes in a group.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

enum { LEARN = 8 };             /* a compilation's weight is one of so many */

/* A level that TBs may be compiled at. */
typedef struct Level {
    double speed;               /* of the interpreter's */
    double ns_per_byte;         /* to compile bytecode */
    TierBatch batch;
} Level;

typedef struct CostBenefit {
    double insn_ns;
    Level levels[2];            /* by TierShape */
} CostBenefit;

/* Indices into the parameters. */
enum {
    PARAM_INSN,
    PARAM_SPEED,
    PARAM_COST,
    PARAM_REGION_SPEED,
    PARAM_REGION_COST,
    PARAM_SIZE,
    PARAM_WAIT,
};

#define NUMBER(param, units, value, least, most, what) \
    { .name = (param), \
      .unit = (units), \
      .meaning = what, \
      .type = TIER_PARAM_DOUBLE, \
      .def.number = (value), \
      .min.number = (least), \
      .max.number = (most) }

static const TierParam cost_params[] = {
    NUMBER("insn", "ns", 9, 0.1, 1000, "interpreting a guest instruction"),
    NUMBER("speed", "times", 4, 1, 1000, "functions, of the interpreter's"),
    NUMBER("cost", "us/KiB", 60, 0, 1000000,
           "compiling bytecode to functions, at first"),
    NUMBER("region-speed", "times", 8, 1, 1000,
           "regions, of the interpreter's"),
    NUMBER("region-cost", "us/KiB", 120, 0, 1000000,
           "compiling bytecode to regions, at first"),
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(50),
    { .name = NULL },
};

static double ns_per_byte(double us_per_kib)
{
    return us_per_kib * 1000 / 1024;
}

static bool level_init(Level *level, TierShape shape, const TierValue *values)
{
    level->batch = (TierBatch){
        .size = (uint32_t)values[PARAM_SIZE].u64,
        .wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS,
        .by = TIER_BY_EDGES,
        .pull = UINT64_MAX,
        .shape = shape,
        .number = shape,
    };
    return tier_batch_init(&level->batch);
}

static void cost_fini(void *state)
{
    CostBenefit *self = state;

    tier_batch_fini(&self->levels[TIER_FUNCTIONS].batch);
    tier_batch_fini(&self->levels[TIER_REGIONS].batch);
}

static bool cost_init(void *state, TierEngine *engine, const TierValue *values)
{
    CostBenefit *self = state;
    Level *functions = &self->levels[TIER_FUNCTIONS];
    Level *regions = &self->levels[TIER_REGIONS];

    (void)engine;
    self->insn_ns = values[PARAM_INSN].number;
    functions->speed = values[PARAM_SPEED].number;
    functions->ns_per_byte = ns_per_byte(values[PARAM_COST].number);
    regions->speed = values[PARAM_REGION_SPEED].number;
    regions->ns_per_byte = ns_per_byte(values[PARAM_REGION_COST].number);
    if (!level_init(functions, TIER_FUNCTIONS, values) ||
        !level_init(regions, TIER_REGIONS, values)) {
        cost_fini(self);
        return false;
    }
    return true;
}

/* Of one execution, interpreted. */
static double interpreted_ns(const CostBenefit *self, const TierTb *tb)
{
    return self->insn_ns * (tb->guest_insns > 0 ? tb->guest_insns : 1);
}

static double cost_of(const Level *level, const TierTb *tb)
{
    return level->ns_per_byte * tb->bytecode_bytes;
}

/* Executions from which @level pays; more than can be if it never does. */
static double pays_at(const CostBenefit *self, const Level *level,
                      const TierTb *tb, double present_speed)
{
    double saved =
        interpreted_ns(self, tb) * (1 / present_speed - 1 / level->speed);

    return saved > 0 ? cost_of(level, tb) / saved : 2.0 * TIER_MAX_COUNTDOWN;
}

static uint32_t to_countdown(double executions)
{
    if (executions > TIER_MAX_COUNTDOWN) {
        return TIER_NEVER_ASK;
    }
    return executions > 1 ? (uint32_t)executions : 1;
}

static double first_pays_at(const CostBenefit *self, const TierTb *tb)
{
    double a = pays_at(self, &self->levels[TIER_FUNCTIONS], tb, 1);
    double b = pays_at(self, &self->levels[TIER_REGIONS], tb, 1);

    return a < b ? a : b;
}

static uint32_t cost_translated(void *state, TierEngine *engine,
                                const TierTb *tb)
{
    (void)engine;
    return to_countdown(first_pays_at(state, tb));
}

/* The level that makes the future shortest; NULL: the present one. */
static Level *best_level(CostBenefit *self, const TierTb *tb, double executions,
                         bool compiled)
{
    double all = executions * interpreted_ns(self, tb);
    double best = compiled ? all / self->levels[TIER_FUNCTIONS].speed : all;
    Level *found = NULL;

    for (unsigned i = compiled ? TIER_REGIONS : TIER_FUNCTIONS; i < 2; i++) {
        Level *level = &self->levels[i];
        double future = all / level->speed + cost_of(level, tb);

        if (future < best) {
            best = future;
            found = level;
        }
    }
    return found;
}

static void cost_hot(void *state, TierEngine *engine, const TierTb *tb,
                     uint32_t executions, TierDecision *decision)
{
    CostBenefit *self = state;
    double all = (double)tier_tb_executions(engine, decision->ids[0]);
    bool compiled = tier_tb_tier(engine, decision->ids[0]) > 0;
    double speed = compiled ? self->levels[TIER_FUNCTIONS].speed : 1;
    Level *level = best_level(self, tb, all, compiled);
    double wait;

    (void)executions;
    if (level) {
        tier_batch_hot(&level->batch, engine, 1000, decision);
        return;
    }
    wait = compiled ? pays_at(self, &self->levels[TIER_REGIONS], tb, speed)
                    : first_pays_at(self, tb);
    /* Costs were learned meanwhile; rounding must not make it ask each time. */
    decision->ask_again =
        to_countdown(wait - all > wait / 8 ? wait - all + 1 : wait / 8 + 1);
    decision->why = TIER_REFUSED_WAIT;
}

static uint64_t bytecode_of(TierEngine *engine, const uint32_t *ids, uint32_t n)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < n; i++) {
        const TierTb *tb = tier_tb(engine, ids[i]);

        bytes += tb ? tb->bytecode_bytes : 0;
    }
    return bytes;
}

static uint32_t cost_compiled(void *state, TierEngine *engine,
                              const uint32_t *ids, uint32_t n,
                              const TierCost *cost)
{
    CostBenefit *self = state;
    Level *level = &self->levels[cost->shape];
    uint64_t bytes = bytecode_of(engine, ids, n);
    const TierTb *tb = n > 0 ? tier_tb(engine, ids[0]) : NULL;

    if (bytes > 0) {
        double ns = (double)(cost->emit_ns + cost->instantiate_ns);

        level->ns_per_byte += (ns / (double)bytes - level->ns_per_byte) / LEARN;
    }
    /* One answer for all; whoever is asked says more exactly when. */
    if (cost->shape == TIER_REGIONS || !tb) {
        return TIER_NEVER_ASK;
    }
    return to_countdown(
        pays_at(self, &self->levels[TIER_REGIONS], tb, level->speed));
}

static uint32_t cost_failed(void *state, TierEngine *engine,
                            const uint32_t *ids, uint32_t n, TierRefusal why)
{
    (void)state;
    return tier_batch_failed(engine, ids, n, why, 1000);
}

static void cost_flushed(void *state, TierEngine *engine)
{
    CostBenefit *self = state;

    (void)engine;
    tier_batch_clear(&self->levels[TIER_FUNCTIONS].batch);
    tier_batch_clear(&self->levels[TIER_REGIONS].batch);
}

static void cost_tick(void *state, TierEngine *engine, TierDecision *decision)
{
    CostBenefit *self = state;

    tier_batch_tick(&self->levels[TIER_FUNCTIONS].batch, engine, decision);
    if (decision->tier == 0) {
        tier_batch_tick(&self->levels[TIER_REGIONS].batch, engine, decision);
    }
}

const TierPolicy tier_policy_cost_benefit = {
    .name = "cost-benefit",
    .summary = "compile what will save more time than compiling takes",
    .source = "Arnold et al., Jalapeno, OOPSLA 2000",
    .params = cost_params,
    .state_size = sizeof(CostBenefit),
    .init = cost_init,
    .translated = cost_translated,
    .linked = tier_group_linked,
    .hot = cost_hot,
    .compiled = cost_compiled,
    .failed = cost_failed,
    .flushed = cost_flushed,
    .tick = cost_tick,
    .fini = cost_fini,
};
