/*
 * Decisions: asking the policy, and guarding its answers. Each entry point
 * does its bookkeeping first and then asks, so that a policy that looks at a
 * TB sees the state after the event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>

/* The highest tier that the runtime can compile at. */
static unsigned highest_tier(const TierEngine *engine)
{
    return engine->host.highest_tier ? engine->host.highest_tier : 1;
}

/* Refuse the whole group: its tier does not exist. */
static void refuse_tier(TierEngine *engine, TierDecision *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        TierTbRecord *record = tier_live_record(engine, d->ids[i]);

        if (record) {
            record->refused = TIER_REFUSED_NO_SUCH_TIER;
        }
    }
    engine->counters.refused[TIER_REFUSED_NO_SUCH_TIER] += d->n;
    d->tier = 0;
    d->why = TIER_REFUSED_NO_SUCH_TIER;
}

/* Keep of the policy's group what can be compiled, each member once. */
static void accept_group(TierEngine *engine, TierDecision *d)
{
    uint32_t n = 0;

    assert(d->n <= TIER_MAX_GROUP);
    if (d->tier > highest_tier(engine)) {
        refuse_tier(engine, d);
        return;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        TierTbRecord *record = tier_live_record(engine, d->ids[i]);

        if (!record) {
            engine->counters.refused[TIER_REFUSED_UNKNOWN]++;
        } else if (!tier_may_compile(record, d->tier, d->shape)) {
            engine->counters.refused[TIER_REFUSED_ALREADY]++;
        } else {
            record->pending = true;
            /* The outcome is next. */
            __builtin_prefetch(tier_detail(engine, d->ids[i]), 1);
            d->ids[n++] = d->ids[i];
        }
    }
    d->n = n;
    if (n == 0) {
        d->tier = 0;
        d->why = TIER_REFUSED_ALREADY;
        return;
    }
    engine->counters.groups_selected++;
    engine->counters.tbs_selected += n;
}

/*
 * Ask the policy about a TB that was executed @executions times more. In tier 0
 * its details are not looked at.
 */
static TierDecision ask(TierEngine *engine, TierTbRecord *record, uint32_t id,
                        uint32_t executions)
{
    const TierPolicy *policy = engine->policy;
    TierDecision d = { .n = 1, .ids = engine->group };
    TierCounters *c = &engine->counters;
    uint64_t start = tier_now_ns(engine);

    c->hot_events++;
    record->hot_ns = record->hot_ns ? record->hot_ns : start;
    d.ids[0] = id;
    if (policy->hot) {
        policy->hot(engine->state, engine, &tier_detail(engine, id)->tb,
                    executions, &d);
        c->decisions_ns += tier_now_ns(engine) - start;
    }
    d.ask_again = tier_clamp_countdown(d.ask_again);
    if (record->tier > 0) {
        tier_set_ask(engine, record, id, d.ask_again);
    }
    if (d.tier > 0) {
        accept_group(engine, &d);
    } else {
        d.why = d.why ? d.why : TIER_REFUSED_POLICY;
        record->refused = (uint8_t)d.why;
        c->refused[d.why]++;
    }
    return d;
}

TierDecision tier_hot(TierEngine *engine, uint32_t id, int32_t remaining)
{
    TierTbRecord *record = tier_live_record(engine, id);
    TierDecision d = { .ids = engine->group, .why = TIER_REFUSED_UNKNOWN };
    uint32_t executions;

    if (!record) {
        engine->counters.hot_events++;
        engine->counters.refused[d.why]++;
        return d;
    }
    executions = tier_take_entries(engine, record, id, remaining);
    d = ask(engine, record, id, executions);
    record->armed = d.ask_again;
    record->armed_tier = record->tier;
    engine->asking = d.tier > 0 ? id : TIER_NO_TB;
    return d;
}

/* Ask about the compiled TBs that are due, until one makes a group. */
static TierDecision ask_due(TierEngine *engine)
{
    TierDecision d = { .ids = engine->group };

    while (engine->nb_due > 0 && d.tier == 0) {
        uint32_t id = engine->due[--engine->nb_due];
        TierTbRecord *record = tier_live_record(engine, id);

        if (record && record->due) {
            d = ask(engine, record, id, tier_detail(engine, id)->toward);
        }
    }
    return d;
}

TierDecision tier_tick(TierEngine *engine)
{
    const TierPolicy *policy = engine->policy;
    TierDecision d = ask_due(engine);
    uint64_t start;

    engine->counters.ticks++;
    if (engine->eviction->tick) {
        engine->eviction->tick(engine->eviction_state, engine);
    }
    if (d.tier > 0) {
        return d;
    }
    d = (TierDecision){ .ids = engine->group };
    if (policy->tick) {
        start = tier_now_ns(engine);
        policy->tick(engine->state, engine, &d);
        engine->counters.decisions_ns += tier_now_ns(engine) - start;
    }
    if (d.tier > 0) {
        accept_group(engine, &d);
    }
    return d;
}
