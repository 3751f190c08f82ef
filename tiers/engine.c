/*
 * The engine. Each entry point does its bookkeeping first and then asks the
 * policy, so that a policy that looks at a TB sees the state after the event.
 *
 * A record's life:
 *
 *   tier_translated        fate = LIVE, armed = the countdown given out
 *   tier_hot, tier_tick    pending, for each member that is accepted
 *   tier_compiled          tier, shape, module as told, no longer pending
 *   tier_failed            refused = why, no longer pending
 *   tier_demoted           tier = 0, module = none
 *   tier_invalidated       fate = INVALIDATED: kept for the statistics, until
 *   tier_flushed           fate = FLUSHED      tier_records_trim() drops it
 *
 * Executions are not counted one by one but taken from the countdowns: what was
 * given out (armed) less what is left is what was executed since, in the tier
 * that the TB was in then (armed_tier). Arithmetic modulo 2^32 makes that true
 * for countdowns that never ask, too: they start at 0 and go down.
 *
 * Compiled code need not have countdowns: what is counted of it, from wherever,
 * goes toward ask_at, and a TB that reaches it is due, for the next tick.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t clamp_countdown(uint32_t countdown)
{
    return countdown < TIER_MAX_COUNTDOWN ? countdown : TIER_MAX_COUNTDOWN;
}

static TierTbRecord *live_record(const TierEngine *engine, uint32_t id)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    return record && record->fate == TIER_TB_LIVE ? record : NULL;
}

/* Creation */

/* False if memory is short. */
static bool make_state(void **state, size_t size)
{
    *state = size > 0 ? calloc(1, size) : NULL;
    return size == 0 || *state;
}

static bool start_eviction(TierEngine *engine)
{
    const TierEviction *eviction = engine->spec.eviction;

    engine->eviction = eviction;
    if (!make_state(&engine->eviction_state, eviction->state_size)) {
        return false;
    }
    if (eviction->init) {
        eviction->init(engine->eviction_state, engine);
    }
    return true;
}

static bool start_policy(TierEngine *engine)
{
    const TierPolicy *policy = engine->spec.policy;

    if (!make_state(&engine->state, policy->state_size)) {
        return false;
    }
    if (policy->init &&
        !policy->init(engine->state, engine, engine->spec.values)) {
        return false;
    }
    /* Not before: fini belongs to an init that succeeded. */
    engine->policy = policy;
    return true;
}

TierEngine *tier_engine_new(const char *spec, uint64_t seed,
                            const TierHost *host, char *err, size_t errsize)
{
    TierEngine *engine = calloc(1, sizeof(*engine));

    if (!engine || !tier_seen_init(&engine->seen)) {
        goto failed;
    }
    if (!tier_spec_parse(spec, &engine->spec, err, errsize)) {
        tier_engine_free(engine);
        return NULL;
    }
    engine->seed = seed;
    engine->asking = TIER_NO_TB;
    if (host) {
        engine->host = *host;
    }
    engine->records.max_dead = engine->host.max_dead_records
                                   ? engine->host.max_dead_records
                                   : TIER_MAX_DEAD_RECORDS;
    tier_modules_init(&engine->modules);
    tier_counters_init(&engine->counters);
    if (start_eviction(engine) && start_policy(engine)) {
        return engine;
    }

failed:
    snprintf(err, errsize, "%s",
             engine && engine->init_error[0]
                 ? engine->init_error
                 : "no memory for the tier engine: give it more");
    tier_engine_free(engine);
    return NULL;
}

void tier_init_error(TierEngine *engine, const char *line)
{
    snprintf(engine->init_error, sizeof(engine->init_error), "%s", line);
}

void tier_engine_free(TierEngine *engine)
{
    if (!engine) {
        return;
    }
    if (engine->policy && engine->policy->fini) {
        engine->policy->fini(engine->state);
    }
    free(engine->state);
    free(engine->eviction_state);
    tier_modules_free(&engine->modules);
    tier_seen_free(&engine->seen);
    tier_records_free(&engine->records);
    free(engine);
}

/* What policies and runtimes may look at */

const TierSpec *tier_engine_spec(const TierEngine *engine)
{
    return &engine->spec;
}

TierCounters *tier_counters(TierEngine *engine)
{
    return &engine->counters;
}

const TierTbRecord *tier_tb_record(const TierEngine *engine, uint32_t id)
{
    return tier_records_get(&engine->records, id);
}

const TierTb *tier_tb(const TierEngine *engine, uint32_t id)
{
    const TierTbRecord *record = live_record(engine, id);

    return record ? &record->tb : NULL;
}

unsigned tier_tb_tier(const TierEngine *engine, uint32_t id)
{
    const TierTbRecord *record = live_record(engine, id);

    return record ? record->tier : 0;
}

/* Functions < regions < functions of the next tier. */
static unsigned level(unsigned tier, unsigned shape)
{
    return tier > 0 ? 2 * tier + (shape == TIER_REGIONS) : 0;
}

static bool may_compile(const TierTbRecord *record, unsigned tier,
                        TierShape shape)
{
    return !record->pending &&
           level(record->tier, record->shape) < level(tier, shape);
}

bool tier_tb_may_compile(const TierEngine *engine, uint32_t id, unsigned tier,
                         TierShape shape)
{
    const TierTbRecord *record = live_record(engine, id);

    return record && may_compile(record, tier, shape);
}

static uint64_t counted(const TierTbRecord *record)
{
    uint64_t sum = 0;

    for (unsigned tier = 0; tier < TIER_NB_TIERS; tier++) {
        sum += record->exec[tier];
    }
    return sum;
}

uint64_t tier_tb_executions(const TierEngine *engine, uint32_t id)
{
    const TierTbRecord *record = tier_records_get(&engine->records, id);
    const TierHost *host = &engine->host;
    uint32_t held = 0;

    if (!record) {
        return 0;
    }
    if (host->countdown && record->fate == TIER_TB_LIVE) {
        held = record->armed - (uint32_t)host->countdown(host->opaque, id);
    }
    return counted(record) + held;
}

uint32_t *tier_tb_words(TierEngine *engine, uint32_t id)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    return record ? record->words : NULL;
}

uint64_t tier_now_ns(const TierEngine *engine)
{
    const TierHost *host = &engine->host;

    return host->now_ns ? host->now_ns(host->opaque) : 0;
}

uint64_t tier_seed(const TierEngine *engine)
{
    return engine->seed;
}

/* Executions */

/* @n is modulo 2^64: UINT64_MAX takes one back. */
static void count_executions(TierEngine *engine, TierTbRecord *record,
                             unsigned tier, uint64_t n)
{
    TierCounters *c = &engine->counters;
    uint64_t *const exec[] = { &c->exec_tier0, &c->exec_tier1, &c->exec_tier2 };
    uint64_t *const insns[] = { &c->guest_insns_tier0, &c->guest_insns_tier1,
                                &c->guest_insns_tier2 };

    assert(tier < TIER_NB_TIERS);
    *exec[tier] += n;
    if (record) {
        record->exec[tier] += n;
        *insns[tier] += n * record->tb.guest_insns;
    }
}

/* @n executions more of compiled code: is it time to ask? */
static void approach(TierEngine *engine, TierTbRecord *record, uint64_t n)
{
    uint64_t toward = record->toward + n;

    tier_cache_executed(engine, record->module, n);
    record->toward = toward < UINT32_MAX ? (uint32_t)toward : UINT32_MAX;
    /* Without room it is due when it is next counted. */
    if (record->ask_at > 0 && record->toward >= record->ask_at &&
        !record->due && engine->nb_due < TIER_MAX_DUE) {
        record->due = true;
        engine->due[engine->nb_due++] = record->tb.id;
    }
}

/* Returns the executions since the countdown was given out or settled. */
static uint32_t settle(TierEngine *engine, TierTbRecord *record,
                       int32_t remaining)
{
    uint32_t n = record->armed - (uint32_t)remaining;

    count_executions(engine, record, record->armed_tier, n);
    if (record->armed_tier > 0) {
        approach(engine, record, n);
    }
    record->armed = (uint32_t)remaining;
    return n;
}

void tier_settle(TierEngine *engine, uint32_t id, int32_t remaining)
{
    TierTbRecord *record = live_record(engine, id);

    if (record) {
        settle(engine, record, remaining);
    }
}

uint32_t tier_rearm(TierEngine *engine, uint32_t id, int32_t remaining,
                    uint32_t countdown)
{
    TierTbRecord *record = live_record(engine, id);

    if (record) {
        settle(engine, record, remaining);
        record->armed = countdown;
        record->armed_tier = record->tier;
    }
    return countdown;
}

void tier_executed(TierEngine *engine, uint32_t id, unsigned tier, uint64_t n)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    count_executions(engine, record, tier, n);
    if (record && record->fate == TIER_TB_LIVE && tier > 0) {
        approach(engine, record, n);
    }
}

/* Translation */

/* What makes two translations translations of the same code. */
static uint64_t identity(const TierTb *tb)
{
    return mix(tb->guest_pc ^ mix(tb->guest_page ^ mix(tb->hash)));
}

uint32_t tier_translated(TierEngine *engine, const TierTb *facts)
{
    const TierPolicy *policy = engine->policy;
    TierCounters *c = &engine->counters;
    TierTbRecord *record;

    c->tbs_translated++;
    c->translate_ns += facts->translate_ns;
    c->translate_guest_insns += facts->guest_insns;
    c->bytecode_bytes += facts->bytecode_bytes;
    if (facts->id % TIER_CHUNK_SIZE == 0) {
        c->tb_records_dropped += tier_records_trim(&engine->records);
    }
    record = tier_records_add(&engine->records, facts->id);
    if (!record) {
        c->refused[TIER_REFUSED_UNKNOWN]++;
        return TIER_NEVER_ASK;
    }
    c->tbs_live++;
    record->tb = *facts;
    record->tb.succ[0] = TIER_NO_TB;
    record->tb.succ[1] = TIER_NO_TB;
    record->tb.flags = 0;
    record->module = TIER_NO_MODULE;
    if (tier_seen_add(&engine->seen, identity(facts))) {
        record->tb.flags |= TIER_TB_RETRANSLATED;
        c->tbs_retranslated++;
    }
    if (policy->translated) {
        record->armed = clamp_countdown(
            policy->translated(engine->state, engine, &record->tb));
    }
    return record->armed;
}

void tier_linked(TierEngine *engine, uint32_t id, unsigned exit, uint32_t succ)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = live_record(engine, id);
    const TierTb *next = tier_tb(engine, succ);

    assert(exit < 2);
    engine->counters.tb_links++;
    if (record) {
        record->tb.succ[exit] = succ;
    }
    if (record && next && policy->linked) {
        policy->linked(engine->state, engine, &record->tb, next);
    }
}

/* Decisions */

/* Keep of the policy's group what can be compiled, each member once. */
static void accept_group(TierEngine *engine, TierDecision *d)
{
    uint32_t n = 0;

    assert(d->tier < TIER_NB_TIERS && d->n <= TIER_MAX_GROUP);
    for (uint32_t i = 0; i < d->n; i++) {
        TierTbRecord *record = live_record(engine, d->ids[i]);

        if (!record) {
            engine->counters.refused[TIER_REFUSED_UNKNOWN]++;
        } else if (!may_compile(record, d->tier, d->shape)) {
            engine->counters.refused[TIER_REFUSED_ALREADY]++;
        } else {
            record->pending = true;
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

/* In compiled code, ask after @countdown executions. */
static void set_ask(TierTbRecord *record, uint32_t countdown)
{
    record->ask_at = record->tier > 0 ? countdown : TIER_NEVER_ASK;
    record->toward = 0;
    record->due = false;
}

static void set_asks(TierEngine *engine, const uint32_t *ids, uint32_t n,
                     uint32_t countdown)
{
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = live_record(engine, ids[i]);

        if (record) {
            set_ask(record, countdown);
        }
    }
}

/* Ask the policy about a TB that was executed @executions times more. */
static TierDecision ask(TierEngine *engine, TierTbRecord *record,
                        uint32_t executions)
{
    const TierPolicy *policy = engine->policy;
    TierDecision d = { .n = 1, .ids = engine->group };
    TierCounters *c = &engine->counters;
    uint64_t start = tier_now_ns(engine);

    c->hot_events++;
    record->hot_ns = record->hot_ns ? record->hot_ns : start;
    d.ids[0] = record->tb.id;
    if (policy->hot) {
        policy->hot(engine->state, engine, &record->tb, executions, &d);
        c->decisions_ns += tier_now_ns(engine) - start;
    }
    d.ask_again = clamp_countdown(d.ask_again);
    set_ask(record, d.ask_again);
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
    TierTbRecord *record = live_record(engine, id);
    TierDecision d = { .ids = engine->group, .why = TIER_REFUSED_UNKNOWN };
    uint32_t executions;

    if (!record) {
        engine->counters.hot_events++;
        engine->counters.refused[d.why]++;
        return d;
    }
    executions = settle(engine, record, remaining);
    d = ask(engine, record, executions);
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
        TierTbRecord *record = live_record(engine, id);

        if (record && record->due) {
            d = ask(engine, record, record->toward);
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

/* Outcomes */

/* Divide what a group cost among its members, by their size. */
static void share_cost(TierEngine *engine, const uint32_t *ids, uint32_t n,
                       const TierCost *cost)
{
    uint64_t ns = cost->emit_ns + cost->optimise_ns + cost->instantiate_ns;
    uint64_t total = 0;
    uint64_t before = 0;

    for (uint32_t i = 0; i < n; i++) {
        const TierTbRecord *record = tier_records_get(&engine->records, ids[i]);

        total += record ? record->tb.bytecode_bytes + 1 : 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = tier_records_get(&engine->records, ids[i]);
        uint64_t after;

        if (!record) {
            continue;
        }
        /* Cumulative, so that the shares add up to the whole. */
        after = before + record->tb.bytecode_bytes + 1;
        record->compile_ns += ns * after / total - ns * before / total;
        record->wasm_bytes = (uint32_t)(cost->wasm_bytes * after / total -
                                        cost->wasm_bytes * before / total);
        before = after;
    }
}

/* The entry that asked is not executed in the tier that it was counted in. */
static void take_back_entry(TierEngine *engine)
{
    TierTbRecord *record = live_record(engine, engine->asking);

    if (record) {
        count_executions(engine, record, record->armed_tier, UINT64_MAX);
    }
    engine->asking = TIER_NO_TB;
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
        const TierTbRecord *record = live_record(engine, ids[i]);

        if (record) {
            module.live++;
            module.heat += counted(record);
        }
    }
    return module;
}

static void count_wait(TierEngine *engine, TierTbRecord *record, uint64_t now)
{
    if (record->hot_ns && record->wait_ns == 0) {
        record->wait_ns = now - record->hot_ns;
        engine->counters.waits++;
        engine->counters.wait_ns += record->wait_ns;
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

/* Costs of compiling; those of having are cache.c's. */
static void count_cost(TierCounters *c, const TierCost *cost)
{
    c->emit_ns += cost->emit_ns;
    c->optimise_ns += cost->optimise_ns;
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
        take_back_entry(engine);
    }
    count_cost(&engine->counters, cost);
    share_cost(engine, ids, n, cost);
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = live_record(engine, ids[i]);

        if (record) {
            count_wait(engine, record, module.born_ns);
            member_compiled(engine, record, cost);
        }
    }
    /* Without memory for it, it is there, but never given up. */
    tier_cache_install(engine, &module);
    if (policy->compiled) {
        countdown = clamp_countdown(
            policy->compiled(engine->state, engine, ids, n, cost));
    }
    set_asks(engine, ids, n, countdown);
    return countdown;
}

void tier_first_call(TierEngine *engine, uint32_t id, uint64_t ns)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    engine->counters.first_calls++;
    engine->counters.first_call_ns += ns;
    if (record) {
        record->compile_ns += ns;
    }
}

uint32_t tier_failed(TierEngine *engine, const uint32_t *ids, uint32_t n,
                     TierRefusal why)
{
    const TierPolicy *policy = engine->policy;
    uint32_t countdown = TIER_NEVER_ASK;

    assert((unsigned)why < TIER_NB_REFUSALS && why != TIER_REFUSED_NONE);
    engine->counters.refused[why] += n;
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = live_record(engine, ids[i]);

        if (record) {
            record->pending = false;
            record->refused = (uint8_t)why;
        }
    }
    if (policy->failed) {
        countdown =
            clamp_countdown(policy->failed(engine->state, engine, ids, n, why));
    }
    set_asks(engine, ids, n, countdown);
    return countdown;
}

uint32_t tier_demoted(TierEngine *engine, uint32_t id)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = live_record(engine, id);
    uint32_t (*countdown)(void *, TierEngine *, const TierTb *) =
        policy->demoted ? policy->demoted : policy->translated;

    if (!record) {
        return TIER_NEVER_ASK;
    }
    engine->counters.tbs_demoted++;
    tier_cache_left(engine, record, false);
    record->tier = 0;
    record->wasm_bytes = 0;
    set_ask(record, TIER_NEVER_ASK);
    return countdown
               ? clamp_countdown(countdown(engine->state, engine, &record->tb))
               : TIER_NEVER_ASK;
}

/* Ends */

void tier_invalidated(TierEngine *engine, uint32_t id)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = live_record(engine, id);

    if (!record) {
        return;
    }
    engine->counters.tbs_invalidated++;
    engine->counters.tbs_live--;
    tier_cache_left(engine, record, true);
    tier_records_bury(&engine->records, record, TIER_TB_INVALIDATED);
    if (policy->invalidated) {
        policy->invalidated(engine->state, engine, &record->tb);
    }
}

void tier_flushed(TierEngine *engine)
{
    const TierPolicy *policy = engine->policy;
    TierRecords *records = &engine->records;
    TierTbRecord *record = tier_records_from(records, 0);

    engine->counters.tb_flushes++;
    engine->nb_due = 0;
    tier_cache_flushed(engine);
    engine->counters.tbs_live = 0;
    for (; record; record = tier_records_from(records, record->tb.id + 1)) {
        if (record->fate == TIER_TB_LIVE) {
            tier_records_bury(records, record, TIER_TB_FLUSHED);
        }
    }
    engine->counters.tb_records_dropped += tier_records_trim(records);
    if (policy->flushed) {
        policy->flushed(engine->state, engine);
    }
}
