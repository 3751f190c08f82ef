/*
 * Outcomes: what came of the groups that were chosen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>

/* Divide what a group cost among its members, by their size. */
static void share_cost(TierEngine *engine, const uint32_t *ids, uint32_t n,
                       const TierCost *cost)
{
    uint64_t ns = cost->emit_ns + cost->instantiate_ns;
    uint64_t total = 0;
    uint64_t before = 0;

    for (uint32_t i = 0; i < n; i++) {
        const TierTbDetail *detail = tier_tb_detail(engine, ids[i]);

        total += detail ? detail->tb.bytecode_bytes + 1 : 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        TierTbDetail *detail;
        uint64_t after;

        if (!tier_records_get(&engine->records, ids[i])) {
            continue;
        }
        detail = tier_detail(engine, ids[i]);
        /* Cumulative, so that the shares add up to the whole. */
        after = before + detail->tb.bytecode_bytes + 1;
        detail->compile_ns += ns * after / total - ns * before / total;
        detail->wasm_bytes = (uint32_t)(cost->wasm_bytes * after / total -
                                        cost->wasm_bytes * before / total);
        before = after;
    }
}

/* Facts of the module that a group became. */
static TierModule describe_module(const TierEngine *engine, const uint32_t *ids,
                                  uint32_t n, const TierCost *cost)
{
    TierModule module = {
        .id = cost->module,
        .shape = cost->shape,
        .slots = cost->table_slots,
        .wasm_bytes = cost->wasm_bytes,
        .born_ns = tier_now_ns(engine),
        .members = n,
    };

    for (uint32_t i = 0; i < n; i++) {
        const TierTbRecord *record = tier_live_record(engine, ids[i]);

        if (record) {
            module.live++;
            module.heat += record->executions;
        }
    }
    return module;
}

static void count_wait(TierEngine *engine, const TierTbRecord *record,
                       TierTbDetail *detail, uint64_t now)
{
    if (record->hot_ns && detail->wait_ns == 0) {
        detail->wait_ns = now - record->hot_ns;
        engine->counters.waits++;
        engine->counters.wait_ns += detail->wait_ns;
    }
}

static void member_compiled(TierEngine *engine, TierTbRecord *record,
                            const TierCost *cost)
{
    TierCounters *c = &engine->counters;

    tier_cache_left(engine, record, false);
    record->module = cost->module;
    record->tier = (uint8_t)cost->tier;
    record->shape = (uint8_t)cost->shape;
    record->pending = false;
    record->refused = TIER_REFUSED_NONE;
    c->tbs_compiled++;
    c->tbs_in_modules++;
    if (cost->shape == TIER_REGIONS) {
        c->tbs_regions++;
    } else {
        c->tbs_functions++;
    }
}

/* What compiling cost. What it costs to have the module, cache.c counts. */
static void count_cost(TierCounters *c, const TierCost *cost)
{
    c->emit_ns += cost->emit_ns;
    c->instantiate_ns += cost->instantiate_ns;
    if (cost->stall_ns > c->worst_stall_ns) {
        c->worst_stall_ns = cost->stall_ns;
    }
}

uint32_t tier_compiled(TierEngine *engine, const uint32_t *ids, uint32_t n,
                       const TierCost *cost)
{
    const TierPolicy *policy = engine->policy;
    TierModule module = describe_module(engine, ids, n, cost);
    uint32_t countdown = TIER_NEVER_ASK;

    assert(cost->tier > 0 && cost->tier < TIER_NB_TIERS);
    if (cost->at_once) {
        tier_take_back_entry(engine);
    }
    count_cost(&engine->counters, cost);
    share_cost(engine, ids, n, cost);
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = tier_live_record(engine, ids[i]);

        if (record) {
            count_wait(engine, record, tier_detail(engine, ids[i]),
                       module.born_ns);
            member_compiled(engine, record, cost);
        }
    }
    /* Without memory for it, it is there, but never given up. */
    tier_cache_install(engine, &module);
    if (policy->compiled) {
        countdown = tier_clamp_countdown(
            policy->compiled(engine->state, engine, ids, n, cost));
    }
    tier_set_asks(engine, ids, n, countdown);
    return countdown;
}

uint32_t tier_failed(TierEngine *engine, const uint32_t *ids, uint32_t n,
                     TierRefusal why)
{
    const TierPolicy *policy = engine->policy;
    uint32_t countdown = TIER_NEVER_ASK;

    assert((unsigned)why < TIER_NB_REFUSALS && why != TIER_REFUSED_NONE);
    engine->counters.refused[why] += n;
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = tier_live_record(engine, ids[i]);

        if (record) {
            record->pending = false;
            record->refused = (uint8_t)why;
        }
    }
    if (policy->failed) {
        countdown = tier_clamp_countdown(
            policy->failed(engine->state, engine, ids, n, why));
    }
    tier_set_asks(engine, ids, n, countdown);
    return countdown;
}

uint32_t tier_demoted(TierEngine *engine, uint32_t id, TierRefusal why)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = tier_live_record(engine, id);
    TierTbDetail *detail;
    uint32_t (*countdown)(void *, TierEngine *, const TierTb *) =
        policy->demoted ? policy->demoted : policy->translated;

    assert((unsigned)why < TIER_NB_REFUSALS);
    if (!record) {
        return TIER_NEVER_ASK;
    }
    detail = tier_detail(engine, id);
    engine->counters.tbs_demoted++;
    if (why != TIER_REFUSED_NONE) {
        engine->counters.refused[why]++;
        record->refused = (uint8_t)why;
    }
    tier_cache_left(engine, record, false);
    record->tier = 0;
    detail->wasm_bytes = 0;
    tier_set_ask(engine, record, id, TIER_NEVER_ASK);
    return countdown ? tier_clamp_countdown(
                           countdown(engine->state, engine, &detail->tb))
                     : TIER_NEVER_ASK;
}
